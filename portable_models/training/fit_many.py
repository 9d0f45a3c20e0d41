"""``fit_many``: train models that are alike, such as folds and seeds, with one compiled program."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from portable_models.data.samples import Samples
from portable_models.random import portable_random
from portable_models.training.checkpoint import Checkpoint
from portable_models.training.compiling import compile_model
from portable_models.training.engines.engine import EpochReport, Job
from portable_models.training.first_training import offer
from portable_models.training.history import Training
from portable_models.training.identity import without_name_and_rate
from portable_models.training.jobs import as_samples, recipe_job
from portable_models.training.programs.grouping import build
from portable_models.training.progress import console_progress
from portable_models.training.recipe import Recipe
from portable_models.training.resuming import keeper_of
from portable_models.training.rounding import round_otherwise
from portable_models.training.train import one_training, train

Given: TypeAlias = Samples | tuple[Any, ...] | Any
"""``Samples``, ``(x, y)`` or ``(x, y, sample_weight)``."""


@dataclass(frozen=True, eq=False)
class Member:
    """One of several trainings.

    Args:
        model: a Keras model; the recipe compiles it.
        samples: what it is trained on: ``Samples``, ``(x, y)`` or ``(x, y, sample_weight)``.
        recipe: the settings of the training.
        validation: what is measured after each epoch, or None.
        checkpoint: keep the training in a file, and resume it where the file is there.
        replica: above 0, the training is rounded otherwise at every step; see ``round_otherwise``.
    """

    model: Any
    samples: Given
    recipe: Recipe
    validation: Given | None = None
    checkpoint: Checkpoint | None = None
    replica: int = 0


def fit_many(
    members: Sequence[Member],
    *,
    pipeline: str = "numpy",
    engine: str = "compiled",
    progress: bool | EpochReport = False,
    replica: int = 0,
    prove: bool = True,
    warn: bool = True,
) -> list[Training]:
    """Train models that are alike: folds, seeds, learning rates.

    Members whose models and compile arguments are proven equal share one compiled program. On JAX, members
    go through it as many at a time as there are cores, or under one ``jax.vmap`` on an accelerator; on
    TensorFlow they go through one graph in turn; on PyTorch small ones are mapped over (``torch.func.vmap``)
    and large ones trained in turn. ``Training.apart_because`` says why one is trained apart. Each has its own
    weights, random streams, rows and state of the optimizer, and comes out as ``fit`` alone would train it,
    up to rounding.

    Args:
        members: at least one; their recipes differ at most in the seed and in a learning rate that is a
            number.
        pipeline: how samples reach Keras: numpy, pandas, tf.data, torch.DataLoader or PyDataset.
        engine: see ``fit``.
        progress: True prints a line of progress; a function is called after each epoch instead, counted over
            all members.
        replica: that of members which name none; see ``Member``.
        prove: digest the batches of the first epoch as Keras delivers them, and the first dropout masks.
        warn: warn where ``Model.fit`` runs what was to be compiled.

    Returns:
        One training for each member.

    Raises:
        ValueError: no members, or recipes that are not alike; an unknown pipeline or engine; a checkpoint
            that is damaged or belongs to another training.
        PipelineUnavailableError: a package that the pipeline needs is not installed.
        TrainingInterrupted: Ctrl-C was pressed; it holds the histories so far.
    """
    _require_alike([member.recipe for member in members])
    on_epoch = console_progress() if progress is True else (progress or None)
    if on_epoch is not None and len(members) > 1:
        on_epoch = _counted_over(on_epoch, len(members))
    with one_training():
        jobs = [_job(member, pipeline, engine, on_epoch, replica) for member in members]
        return train(jobs, engine=engine, prove=prove, warn=warn)


def _job(
    member: Member, pipeline: str, engine: str, on_epoch: EpochReport | None, replica: int
) -> Job:
    rows = as_samples(member.samples)
    held_out = None if member.validation is None else as_samples(member.validation)
    with portable_random(member.recipe.seed):
        compile_model(member.model, member.recipe)
        job = recipe_job(
            member.model,
            rows,
            member.recipe,
            validation=held_out,
            pipeline=pipeline,
            on_epoch=on_epoch,
        )
        build(job)
        round_otherwise(member.model, member.replica or replica)
        keeper = keeper_of(member.checkpoint, member.model, rows, job.settings)
        job = replace(job, keeper=keeper)
        offer(job, engine)
    return job


def _require_alike(recipes: Sequence[Recipe]) -> None:
    if not recipes:
        raise ValueError("expected at least one member to train; got none")
    plain = [_without_what_may_differ(recipe) for recipe in recipes]
    for number, each in enumerate(plain):
        for name, value in each.items():
            first = plain[0][name]
            if value != first:
                shown, other = _what_differs(first, value)
                raise ValueError(
                    f"members must have the same {name}: the first has {shown!r}, "
                    f"number {number + 1} has {other!r}. Train those apart, each with fit()"
                )


def _what_differs(first: Any, other: Any) -> tuple[Any, Any]:
    """Two values, or of two objects of one class the settings that they do not share."""
    if not (isinstance(first, Mapping) and isinstance(other, Mapping)):
        return first, other
    if first.get("class_name") != other.get("class_name"):
        return first.get("class_name"), other.get("class_name")
    mine, theirs = first.get("config"), other.get("config")
    if not (isinstance(mine, Mapping) and isinstance(theirs, Mapping)):
        return first, other
    names = [name for name in sorted({*mine, *theirs}) if mine.get(name) != theirs.get(name)]
    shown = [{name: each[name] for name in names if name in each} for each in (mine, theirs)]
    return shown[0], shown[1]


def _without_what_may_differ(recipe: Recipe) -> dict[str, Any]:
    # Members with callbacks are trained each by itself.
    plain = recipe.replace(seed=0, callbacks=()).to_json()
    optimizer = plain["optimizer"]
    if isinstance(optimizer, Mapping):
        plain["optimizer"] = {
            **optimizer,
            "config": without_name_and_rate(optimizer["config"]),
        }
    return plain


def _counted_over(on_epoch: EpochReport, members: int) -> EpochReport:
    done = itertools.count(1)

    def report(epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        del epoch
        on_epoch(next(done), members * epochs, metrics)

    return report
