"""Procedures: what a variant trains on, validates on, and measures at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from portable_models.data import Array, DataSet, Samples
from portable_models.data.pipelines import pipeline as pipeline_named
from portable_models.random import portable_random
from portable_models.training.cross_validation import (
    Standardisation,
    combined_digests,
    cross_validate,
    fold_indices,
    standardised,
)
from portable_models.training.engines.engine import EpochReport
from portable_models.training.evaluation import evaluated
from portable_models.training.fit_many import Member, fit_many
from portable_models.training.history import Training
from portable_models.training.recipe import Recipe
from portable_models.training.settings import RECIPE_VALIDATION_BATCH as VALIDATION_BATCH

PREDICTION_SLAB = 4096
"""Samples made dense at once while predicting: 160 MB for a bag of 10,000 words."""


@dataclass(frozen=True)
class Task:
    """One variant on one data set, with the settings of this run.

    Args:
        build: makes a new model; called inside ``portable_random``.
        data: the data set.
        recipe: the settings, after any change of epochs or seed.
        pipeline: how samples reach Keras.
        engine: what drives the steps.
        replica: above 0, the training is rounded otherwise at every step.
        on_epoch: called after each epoch.
    """

    build: Callable[[], Any]
    data: DataSet
    recipe: Recipe
    pipeline: str = "numpy"
    engine: str = "compiled"
    replica: int = 0
    on_epoch: EpochReport | None = None

    def fit(self, samples: Samples, validation: Samples | None) -> tuple[Any, Training]:
        """Build a model from the recipe's seed and train it."""
        with portable_random(self.recipe.seed):
            model = self.build()
        (training,) = fit_many(
            [Member(model, samples, self.recipe, validation)],
            pipeline=self.pipeline,
            engine=self.engine,
            progress=self.on_epoch or False,
            replica=self.replica,
            # What goes into a replica is known: it is the reference's, but for the last bit.
            prove=not self.replica,
            # The result of a cell says which engine ran and why.
            warn=False,
        )
        return model, training

    def evaluate(self, model: Any, samples: Samples) -> dict[str, float]:
        """The model's loss and metrics on samples, as ``test_loss`` and so on."""
        feed = pipeline_named(self.pipeline).feed(
            samples, np.arange(len(samples)), VALIDATION_BATCH
        )
        metrics = model.evaluate(**feed.arguments(), return_dict=True, verbose=0)
        return {f"test_{name}": float(value) for name, value in metrics.items()}

    def test(
        self, model: Any, samples: Samples, training: Training
    ) -> tuple[dict[str, float], Array]:
        """What ``evaluate`` and ``predict`` give; in one pass, where the training could be compiled."""
        if (training.engine, self.pipeline) == ("compiled", "numpy"):
            found = evaluated(model, samples, VALIDATION_BATCH)
            if found is not None:
                return {f"test_{name}": value for name, value in found[0].items()}, found[1]
        return self.evaluate(model, samples), self.predict(model, samples)

    def predict(self, model: Any, samples: Samples) -> Array:
        """The model's output for every sample, float32, read in slabs so that dense rows fit in memory."""
        slabs = np.array_split(np.arange(len(samples)), -(-len(samples) // PREDICTION_SLAB))
        return np.concatenate(
            [
                np.asarray(model.predict(samples.take(rows).x, VALIDATION_BATCH, verbose=0))
                for rows in slabs
            ]
        )


@dataclass(frozen=True)
class Trained:
    """What a procedure gives back.

    Args:
        training: history, final metrics and digests.
        samples: number of samples by part.
        parameters: number of weights of the model.
        predictions: the model's output for every test sample, where the procedure makes any.
    """

    training: Training
    samples: dict[str, int]
    parameters: int
    predictions: Array | None = None


class Procedure(Protocol):
    """What a variant trains on, validates on, and measures at the end."""

    def run(self, task: Task) -> Trained:
        """Carry it out."""


@dataclass(frozen=True)
class HoldOut:
    """Validate on the first part of the training samples and train on the rest.

    Args:
        fraction: the share of the training samples that is held out, between 0 and 1.
    """

    fraction: float

    def run(self, task: Task) -> Trained:
        """Carry it out."""
        train = task.data.train
        cut = round(len(train) * self.fraction)
        if not 0 < cut < len(train):
            raise ValueError(
                f"holding out {self.fraction:g} of {len(train)} samples leaves {len(train) - cut} to train "
                f"on and {cut} to validate on; both must be at least 1"
            )
        every = np.arange(len(train))
        model, training = task.fit(train.subset(every[cut:]), train.subset(every[:cut]))
        return Trained(
            training, {"train": len(train) - cut, "validation": cut}, model.count_params()
        )


@dataclass(frozen=True)
class ValidateOnTest:
    """Train on all training samples and validate each epoch on the test samples."""

    def run(self, task: Task) -> Trained:
        """Carry it out."""
        model, training = task.fit(task.data.train, task.data.test)
        counts = {"train": len(task.data.train), "validation": len(task.data.test)}
        return Trained(training, counts, model.count_params())


@dataclass(frozen=True)
class FinalTest:
    """Train on all training samples, then evaluate once on the test samples.

    Args:
        standardised: standardise features with the training samples' mean and deviation first.
    """

    standardised: bool = False

    def run(self, task: Task) -> Trained:
        """Carry it out."""
        train, test = task.data.train, task.data.test
        if self.standardised:
            train, test = standardised(train, test)
        model, training = task.fit(train, None)
        metrics, predictions = task.test(model, test, training)
        final = {**metrics, "test_mean_prediction": float(predictions.mean())}
        return Trained(
            replace(training, final=final),
            {"train": len(train), "test": len(test)},
            model.count_params(),
            predictions,
        )


@dataclass(frozen=True)
class KFold:
    """k-fold cross-validation over the training samples; histories are averaged over the folds.

    Args:
        folds: how many.
        standardisation: see ``cross_validate``.
        metric: the metric whose last validation value is reported for each fold, and their mean.
    """

    folds: int = 4
    standardisation: Standardisation = "none"
    metric: str = "mae"

    def run(self, task: Task) -> Trained:
        """Carry it out."""
        result = cross_validate(
            task.build,
            task.data.train,
            task.recipe,
            folds=self.folds,
            standardisation=self.standardisation,
            pipeline=task.pipeline,
            engine=task.engine,
            on_epoch=task.on_epoch,
            replica=task.replica,
            warn=False,
        )
        scores = result.last(f"val_{self.metric}")
        final = {
            f"fold_{index}_{self.metric}": score for index, score in enumerate(scores, start=1)
        }
        final[f"mean_{self.metric}"] = sum(scores) / len(scores)
        training = Training(
            dict(result.mean),
            result.folds[0].engine,
            result.folds[0].engine_reason,
            combined_digests(result.folds),
            final,
            result.folds[0].compile_seconds,
        )
        train, validation = fold_indices(len(task.data.train), self.folds)[0]
        with portable_random(task.recipe.seed):
            parameters = task.build().count_params()
        return Trained(training, {"train": len(train), "validation": len(validation)}, parameters)
