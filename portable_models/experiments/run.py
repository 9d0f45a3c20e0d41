"""Run an experiment on the backend of this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from portable_models._backend import current
from portable_models.cache import programs_folder
from portable_models.data import Array, DataSet, ReviewDataSet, decode_review
from portable_models.experiments.claim import Finding
from portable_models.experiments.experiment import Experiment, Variant
from portable_models.experiments.neutral_recipe import neutral_recipe
from portable_models.experiments.outcome import Example, Outcome
from portable_models.experiments.procedures import Task, run_tasks
from portable_models.experiments.registry import experiment as experiment_named
from portable_models.random import random_bits_digest
from portable_models.training.background import background_work
from portable_models.training.engines.engine import EpochReport
from portable_models.training.progress import console_progress

EXAMPLES = 3
EXAMPLE_WORDS = 60


@dataclass(frozen=True)
class Settings:
    """What a run may change of an experiment.

    Args:
        epochs: number of epochs of every variant; None keeps the recipe's (or the sample's) own.
        seed: added to the seed of every recipe.
        pipeline: see ``portable_models.fit``.
        engine: see ``portable_models.fit``.
        replica: see ``portable_models.fit``.
    """

    epochs: int | None = None
    seed: int = 0
    pipeline: str = "numpy"
    engine: str = "compiled"
    replica: int = 0


@dataclass(frozen=True)
class ExperimentResult:
    """What an experiment came to on one backend.

    Args:
        experiment: its name.
        outcomes: one outcome per variant that ran.
        findings: each claim's statement and what was found.
    """

    experiment: str
    outcomes: Mapping[str, Outcome]
    findings: Mapping[str, Finding] = field(default_factory=dict)


def run(
    experiment: str | Experiment,
    *,
    data: str = "sample",
    variants: Iterable[str] | None = None,
    settings: Settings | None = None,
    trust: bool = False,
    progress: bool = False,
) -> ExperimentResult:
    """Run an experiment's variants on the backend of this process, and check its claims.

    Args:
        experiment: a built-in name, ``package.module:object``, or an ``Experiment``.
        data: ``"sample"`` (embedded), ``"full"`` or a path.
        variants: names of the variants to run; None runs all.
        settings: epochs, seed, pipeline and engine.
        trust: unpickle data files whose SHA-256 is not known. Only for files that you made yourself.
        progress: print a line for each epoch.

    Raises:
        UnknownExperimentError: no such experiment.
        UnknownVariantError: no such variant.
        DataError: the data cannot be found or read.
    """
    found = experiment_named(experiment) if isinstance(experiment, str) else experiment
    chosen = [found.variant(name) for name in variants] if variants is not None else found.variants
    samples = found.load(data, trust)
    report = console_progress() if progress else None
    outcomes = {
        variant.name: run_variant(variant, samples, settings or Settings(), report)
        for variant in chosen
    }
    findings = {claim.statement: claim.evaluate(outcomes) for claim in found.claims}
    return ExperimentResult(found.name, outcomes, findings)


def run_variant(
    variant: Variant, data: DataSet, settings: Settings, on_epoch: EpochReport | None = None
) -> Outcome:
    """Run one variant on a data set that is loaded already."""
    (outcome,) = run_seeds([variant], data, [settings], on_epoch)
    return outcome


def run_seeds(
    variants: Sequence[Variant],
    data: DataSet,
    settings: Sequence[Settings],
    on_epoch: EpochReport | None = None,
) -> Iterator[Outcome]:
    """Run a variant with many seeds or replicas, side by side where its procedure can (``run_tasks``).

    Args:
        variants: the same variant for each seed; only their ``build`` may differ, by what it notes.
        data: the data set.
        settings: one for each training; they differ in the seed, and in a replica that is not 0.
        on_epoch: called after each epoch, counted over all members that are trained together.

    Returns:
        The outcome of each seed. Go through all of them: what is open is closed at the end.
    """
    tasks = [
        _task(variant, data, each, on_epoch)
        for variant, each in zip(variants, settings, strict=True)
    ]
    with current().programs_kept(programs_folder), background_work() as work:
        random_bits = [work.submit(random_bits_digest, task.recipe.seed) for task in tasks]
        digest_of_data = work.submit(data.digest)
        found = run_tasks(variants[0].procedure, tasks)
        for variant, task, bits, trained in zip(variants, tasks, random_bits, found, strict=True):
            digests = {
                "data": digest_of_data(),
                "recipe": task.recipe.digest(),
                "random_bits": bits(),
                **trained.training.digests,
            }
            yield Outcome(
                replace(trained.training, digests=digests),
                epochs=variant.recipe.epochs,
                parameters=int(trained.parameters),
                samples=trained.samples,
                real_data=not data.synthetic,
                examples=_examples(trained.predictions, data),
            )


def _task(
    variant: Variant, data: DataSet, settings: Settings, on_epoch: EpochReport | None
) -> Task:
    shortened = variant.sample_epochs if data.kind == "sample" else None
    recipe = neutral_recipe(variant.recipe).replace(
        epochs=settings.epochs or shortened or variant.recipe.epochs,
        seed=variant.recipe.seed + settings.seed,
    )
    return Task(
        build=lambda: variant.build(data),
        data=data,
        recipe=recipe,
        pipeline=settings.pipeline,
        engine=settings.engine,
        replica=settings.replica,
        on_epoch=on_epoch,
    )


def _examples(predictions: Array | None, data: DataSet) -> tuple[Example, ...]:
    """The first test reviews beside their predictions, where the data are reviews."""
    if predictions is None or not isinstance(data, ReviewDataSet):
        return ()
    rows = range(min(EXAMPLES, len(data.test)))
    labels = np.asarray(data.test.take(np.array(rows)).y)
    return tuple(
        Example(_opening(data, row), float(predictions[row].item()), float(labels[row]))
        for row in rows
    )


def _opening(data: ReviewDataSet, row: int) -> str:
    if data.word_index is None:
        return "(no imdb_word_index.json lies beside the archive, so the review cannot be decoded)"
    words = decode_review(data.test_sequences[row], data.word_index).split()
    return " ".join(words[:EXAMPLE_WORDS]) + (" …" if len(words) > EXAMPLE_WORDS else "")
