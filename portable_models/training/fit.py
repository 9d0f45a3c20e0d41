"""Train one model as a recipe says, the same way on every backend."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from portable_models._backend import current
from portable_models.cache import programs_folder
from portable_models.data.pipelines import pipeline as pipeline_named
from portable_models.data.samples import ArraySamples, Batch, Samples
from portable_models.random import portable_random
from portable_models.training.beside import beside
from portable_models.training.checkpoint import Checkpoint
from portable_models.training.compiling import compile_model
from portable_models.training.engine import Chosen, EpochReport, Job, choose
from portable_models.training.first_job import offer
from portable_models.training.history import Training
from portable_models.training.left_off import keeper_of
from portable_models.training.progress import console_progress
from portable_models.training.proofs import Proof, proof_of
from portable_models.training.recipe import Recipe
from portable_models.training.rounding import round_otherwise

Given: TypeAlias = Samples | tuple[Any, Any] | tuple[Any, Any, Any]


def fit(
    model: Any,
    samples: Given,
    recipe: Recipe,
    *,
    validation: Given | None = None,
    pipeline: str = "numpy",
    engine: str = "compiled",
    progress: bool | EpochReport = False,
    replica: int = 0,
    prove: bool = True,
    checkpoint: Checkpoint | None = None,
) -> Training:
    """Compile ``model`` as the recipe says, train it, and say what went in and what came out.

    Build the model inside ``with portable_random(recipe.seed):`` and its initial weights, like the
    dropout masks drawn here, are the same on every backend.

    Args:
        model: a Keras model with its weights built, or one that builds at its first call.
        samples: what is trained on: ``Samples``, ``(x, y)`` or ``(x, y, sample_weight)``.
        recipe: the settings of the training.
        validation: what is measured after each epoch, or None.
        pipeline: how samples reach Keras: numpy, pandas, tf.data, torch.DataLoader or PyDataset.
        engine: ``"compiled"`` (whole epochs as one program) or ``"keras"`` (``Model.fit``); what cannot be
            compiled runs on ``"keras"``, and the result says why.
        progress: True prints a line of progress; a function is called after each epoch instead.
        replica: above 0, the training is rounded otherwise at every step; see ``round_otherwise``.
        prove: digest the batches of the first epoch as Keras delivers them, and the first dropout masks.
        checkpoint: keep the training in a file, and go on from it where it is there.

    Returns:
        The history, with the engine that ran and the digests of what went in.

    Raises:
        ValueError: an unknown pipeline, engine, optimizer, loss or metric; or a checkpoint that is damaged
            or belongs to another training.
        PipelineUnavailableError: a package that the pipeline needs is not installed.
        TrainingInterrupted: Ctrl-C was pressed; it holds the history so far.
    """
    member = Member(model, samples, recipe, validation, checkpoint)
    return fit_many(
        [member],
        pipeline=pipeline,
        engine=engine,
        progress=progress,
        replica=replica,
        prove=prove,
    )[0]


@dataclass(frozen=True, eq=False)
class Member:
    """One of several trainings; see ``fit`` for what its parts are."""

    model: Any
    samples: Given
    recipe: Recipe
    validation: Given | None = None
    checkpoint: Checkpoint | None = None


def fit_many(
    members: Sequence[Member],
    *,
    pipeline: str = "numpy",
    engine: str = "compiled",
    progress: bool | EpochReport = False,
    replica: int = 0,
    prove: bool = True,
) -> list[Training]:
    """Train models that are alike: folds, seeds, learning rates.

    They share one compiled program. On JAX, members with as many rows as each other are mapped over
    (``jax.vmap``) and trained side by side, but for convolutions on the CPU; on TensorFlow and PyTorch one is
    trained after the other. Each has its own weights, random streams, rows and state of the optimizer, and
    comes out as ``fit`` alone would train it, up to rounding.

    Args:
        members: at least one; their models and recipes differ at most in the variables' values, in the
            recipe's seed and in a learning rate that is a number.
        pipeline: see ``fit``.
        engine: see ``fit``.
        progress: see ``fit``; epochs are counted over all members.
        replica: see ``fit``.
        prove: see ``fit``.

    Returns:
        One training for each member.

    Raises:
        ValueError: no members, or recipes that are not alike; and what ``fit`` raises.
        TrainingInterrupted: Ctrl-C was pressed; it holds the histories so far.
    """
    _require_alike([member.recipe for member in members])
    source = pipeline_named(pipeline)
    source.require()
    on_epoch = console_progress() if progress is True else (progress or None)
    if on_epoch is not None and len(members) > 1:
        on_epoch = _counted_over(on_epoch, len(members))
    jobs = []
    for member in members:
        rows = as_samples(member.samples)
        held_out = None if member.validation is None else as_samples(member.validation)
        with portable_random(member.recipe.seed):
            _build(member.model, rows)
            compile_model(member.model, member.recipe)
            round_otherwise(member.model, replica)
            keeper = keeper_of(member.checkpoint, member.model, rows, member.recipe)
            job = Job(member.model, rows, member.recipe, source, held_out, on_epoch, keeper)
            offer(job, engine)
        jobs.append(job)
    with current().programs_kept(programs_folder), beside() as aside:
        chosen = choose(engine, jobs, aside if prove else None)
        proofs = [
            proof_of(job, delivered, aside) if delivered else {}
            for job, delivered in itertools.zip_longest(jobs, chosen.delivered)
        ]
        for job in jobs:
            if job.keeper is not None:
                job.history.update(job.keeper.restore())
        aside.begin()
        try:
            chosen.engine.run(jobs)
        except KeyboardInterrupt:
            raise TrainingInterrupted(_outcomes(jobs, chosen, proofs)) from None
        return _outcomes(jobs, chosen, proofs)


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a training; the models hold the weights after the last epoch of their histories.

    Args:
        trainings: one for each member, with the epochs that ran.
    """

    def __init__(self, trainings: Sequence[Training]) -> None:
        epochs = sum(len(next(iter(each.history.values()), [])) for each in trainings)
        super().__init__(f"interrupted after {epochs} epochs; their history is in .trainings")
        self.trainings = trainings


def _require_alike(recipes: Sequence[Recipe]) -> None:
    if not recipes:
        raise ValueError("expected at least one member to train; got none")
    plain = [_without_what_may_differ(recipe) for recipe in recipes]
    for number, each in enumerate(plain):
        for name, value in each.items():
            if value != plain[0][name]:
                raise ValueError(
                    f"members must have the same {name}: the first has {plain[0][name]!r}, "
                    f"number {number + 1} has {value!r}. Train those apart, each with fit()"
                )


def _without_what_may_differ(recipe: Recipe) -> dict[str, Any]:
    plain = recipe.replace(seed=0).to_json()
    optimizer = plain["optimizer"]
    if isinstance(optimizer, Mapping):
        config = dict(optimizer["config"])
        if isinstance(config.get("learning_rate"), (int, float)):
            config["learning_rate"] = 0.0
        plain["optimizer"] = {**optimizer, "config": config}
    return plain


def _counted_over(on_epoch: EpochReport, members: int) -> EpochReport:
    done = itertools.count(1)

    def report(epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        del epoch
        on_epoch(next(done), members * epochs, metrics)

    return report


def as_samples(given: Given) -> Samples:
    """``(x, y)`` and ``(x, y, sample_weight)`` as samples; samples as they are."""
    return ArraySamples(*Batch(*given)) if isinstance(given, tuple) else given


def _build(model: Any, samples: Samples) -> None:
    """Make the weights of a model that only builds when it is called."""
    if not model.built:
        import numpy as np

        model(samples.take(np.arange(1)).x)


def _outcomes(jobs: Sequence[Job], chosen: Chosen, proofs: Sequence[Proof]) -> list[Training]:
    return [
        Training(
            job.history,
            engine=chosen.engine.name,
            engine_reason=chosen.reason,
            digests={name: wait() for name, wait in proof.items()},
            compile_seconds=chosen.engine.compile_seconds,
        )
        for job, proof in zip(jobs, proofs, strict=True)
    ]
