"""k-fold cross-validation, with the published standardisation and the leak-free one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from portable_models.data.samples import ArraySamples, Indices, MultiHotSamples, Samples
from portable_models.data.standardise import standardise
from portable_models.random import portable_random
from portable_models.training.arguments import try_samples, unpack
from portable_models.training.engines.engine import EpochReport
from portable_models.training.fit_many import Member, fit_many
from portable_models.training.history import Training, mean_history
from portable_models.training.recipe import Recipe

Standardisation = Literal["once", "per_fold", "none"]


@dataclass(frozen=True)
class CrossValidation:
    """The outcome of k trainings, each validated on the fold that it did not see.

    Args:
        folds: one training per fold; each holds its trained model as ``model``.
        mean: the folds' histories averaged epoch by epoch.
    """

    folds: Sequence[Training]
    mean: Mapping[str, list[float]]

    @classmethod
    def of(cls, folds: Sequence[Training]) -> CrossValidation:
        """The outcome of these trainings."""
        return cls(folds, mean_history([each.history for each in folds]))

    def last(self, metric: str) -> list[float]:
        """The last epoch's value of a metric, for each fold."""
        return [fold.history[metric][-1] for fold in self.folds]


def fold_indices(count: int, folds: int) -> list[tuple[Indices, Indices]]:
    """Training and validation rows of each fold.

    Fold ``i`` validates on rows ``i * (count // folds)`` up to ``(i + 1) * (count // folds)``; rows left
    over at the end are trained on by every fold, as in the published run.

    Raises:
        ValueError: fewer than 2 folds, or fewer rows than folds.
    """
    if not 2 <= folds <= count:
        raise ValueError(f"expected 2 to {count} folds for {count} rows; got {folds}")
    size, every = count // folds, np.arange(count)
    return [
        (np.delete(every, slice(i * size, (i + 1) * size)), every[i * size : (i + 1) * size])
        for i in range(folds)
    ]


def fold_seed(seed: int, fold: int) -> int:
    """The seed of one fold's initial weights, masks and order, drawn from the recipe's seed."""
    return int(np.random.SeedSequence([seed, fold]).generate_state(1)[0] >> 1)


def cross_validate(
    build: Callable[[], Any],
    samples: Any,
    recipe: Recipe,
    *,
    folds: int = 4,
    standardisation: Standardisation = "none",
    pipeline: str = "numpy",
    engine: str = "compiled",
    on_epoch: EpochReport | None = None,
    replica: int = 0,
    warn: bool = True,
) -> CrossValidation:
    """Train a new model for each fold and validate it on the rows that it did not see.

    Args:
        build: makes a new model, whose initial weights are drawn from the fold's seed.
        samples: all rows: ``Samples``, ``(x, y)`` or ``(x, y, sample_weight)`` of arrays or data frames;
            standardisation needs dense features of shape ``(n, features)``.
        recipe: settings of each fold's training.
        folds: how many.
        standardisation: ``"once"`` uses mean and deviation of all rows, validation rows included, as the
            published run does (they leak a little); ``"per_fold"`` those of the fold's training rows only;
            ``"none"`` takes the features as they are.
        pipeline: see ``fit_many``.
        engine: see ``fit``.
        on_epoch: called after each epoch, counted over all folds.
        replica: see ``fit_many``.
        warn: see ``fit_many``.

    Returns:
        One training per fold, and their mean history.

    Raises:
        ValueError: a number of folds that does not fit the rows, or an unknown standardisation.
    """
    trainings = fit_many(
        fold_members(build, samples, recipe, folds, standardisation),
        pipeline=pipeline,
        engine=engine,
        progress=on_epoch or False,
        replica=replica,
        prove=not replica,
        warn=warn,
    )
    return CrossValidation.of(trainings)


def fold_members(
    build: Callable[[], Any],
    samples: Any,
    recipe: Recipe,
    folds: int,
    standardisation: Standardisation,
) -> list[Member]:
    """What :func:`cross_validate` trains, one member for each fold.

    Raises:
        ValueError: as :func:`cross_validate`.
    """
    if standardisation not in ("once", "per_fold", "none"):
        raise ValueError(
            f"unknown standardisation {standardisation!r}: expected once, per_fold or none"
        )
    samples = _cut_into_folds(samples)
    if standardisation == "once":
        (samples,) = standardised(samples)
    members = []
    for fold, (training_rows, validation_rows) in enumerate(fold_indices(len(samples), folds)):
        training, validation = samples.subset(training_rows), samples.subset(validation_rows)
        if standardisation == "per_fold":
            training, validation = standardised(training, validation)
        settings = recipe.replace(seed=fold_seed(recipe.seed, fold))
        with portable_random(settings.seed):
            model = build()
        members.append(Member(model, training, settings, validation))
    return members


def _cut_into_folds(given: Any) -> Samples:
    """The rows that folds are cut from.

    Raises:
        ValueError: they cannot be read by row, or there are no targets.
    """
    if isinstance(given, (ArraySamples, MultiHotSamples)):
        return given
    kind = type(given).__name__ if given is not None else "None"
    x, y, weight = unpack(given)
    found, why_not = try_samples(x, y, weight)
    if found is None:
        raise ValueError(
            f"folds are cut from arrays, given as (x, y) or (x, y, sample_weight); got {kind}, and {why_not}"
        )
    if y is None:
        raise ValueError(
            f"a fold is judged by its targets, and {kind} holds none: give (x, y) or (x, y, sample_weight)"
        )
    return found


def combined_digests(trainings: Sequence[Training]) -> dict[str, str]:
    """One digest per kind over all folds, in the order of the folds."""
    return {
        kind: hashlib.sha256("".join(each.digests[kind] for each in trainings).encode()).hexdigest()
        if any(each.digests[kind] for each in trainings)
        else ""
        for kind in trainings[0].digests
    }


def standardised(training: Samples, *others: Samples) -> list[Samples]:
    """All samples with features standardised by the mean and deviation of the first ones.

    Raises:
        ValueError: the samples have several inputs.
    """
    parts = [part.take(np.arange(len(part))) for part in (training, *others)]
    features = [part.x for part in parts if isinstance(part.x, np.ndarray)]
    if len(features) != len(parts):
        raise ValueError(
            "standardisation needs one array of features; this data set has several inputs"
        )
    return [
        ArraySamples(x, part.y, part.sample_weight)
        for x, part in zip(standardise(*features), parts, strict=True)
    ]
