"""Procedures: what a variant trains on, validates on, and measures at the end."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from portable_models.experiments.tasks import (
    Procedure,
    Stages,
    Task,
    Trained,
    run_alone,
    run_tasks,
)
from portable_models.random import portable_random
from portable_models.training.cross_validation import (
    CrossValidation,
    Standardisation,
    combined_digests,
    fold_indices,
    fold_members,
    standardised,
)
from portable_models.training.history import Training

__all__ = [
    "FinalTest",
    "HoldOut",
    "KFold",
    "Procedure",
    "Task",
    "Trained",
    "ValidateOnTest",
    "run_tasks",
]


@dataclass(frozen=True)
class HoldOut:
    """Validate on the first part of the training samples and train on the rest.

    Args:
        fraction: the share of the training samples that is held out, between 0 and 1.
    """

    fraction: float

    def run(self, task: Task) -> Trained:
        """Carry it out."""
        return run_alone(self, task)

    def stages(self, task: Task) -> Stages:
        """Carry it out, but for the training."""
        train = task.data.train
        cut = round(len(train) * self.fraction)
        if not 0 < cut < len(train):
            raise ValueError(
                f"holding out {self.fraction:g} of {len(train)} samples leaves {len(train) - cut} to train "
                f"on and {cut} to validate on; both must be at least 1"
            )
        every = np.arange(len(train))
        member = task.member(train.subset(every[cut:]), train.subset(every[:cut]))
        (training,) = yield [member]
        return Trained(
            training, {"train": len(train) - cut, "validation": cut}, member.model.count_params()
        )


@dataclass(frozen=True)
class ValidateOnTest:
    """Train on all training samples and validate each epoch on the test samples."""

    def run(self, task: Task) -> Trained:
        """Carry it out."""
        return run_alone(self, task)

    def stages(self, task: Task) -> Stages:
        """Carry it out, but for the training."""
        member = task.member(task.data.train, task.data.test)
        (training,) = yield [member]
        counts = {"train": len(task.data.train), "validation": len(task.data.test)}
        return Trained(training, counts, member.model.count_params())


@dataclass(frozen=True)
class FinalTest:
    """Train on all training samples, then evaluate once on the test samples.

    Args:
        standardised: standardise features with the training samples' mean and deviation first.
    """

    standardised: bool = False

    def run(self, task: Task) -> Trained:
        """Carry it out."""
        return run_alone(self, task)

    def stages(self, task: Task) -> Stages:
        """Carry it out, but for the training."""
        train, test = task.data.train, task.data.test
        if self.standardised:
            train, test = standardised(train, test)
        member = task.member(train, None)
        (training,) = yield [member]
        metrics, predictions = task.test(member.model, test, training)
        final = {**metrics, "test_mean_prediction": float(predictions.mean())}
        return Trained(
            replace(training, final=final),
            {"train": len(train), "test": len(test)},
            member.model.count_params(),
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
        return run_alone(self, task)

    def stages(self, task: Task) -> Stages:
        """Carry it out, but for the training."""
        trainings = yield fold_members(
            task.build, task.data.train, task.recipe, self.folds, self.standardisation
        )
        result = CrossValidation.of(trainings)
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
            apart_because=result.folds[0].apart_because,
        )
        train, validation = fold_indices(len(task.data.train), self.folds)[0]
        with portable_random(task.recipe.seed):
            parameters = task.build().count_params()
        return Trained(training, {"train": len(train), "validation": len(validation)}, parameters)
