"""Tasks: one variant on one data set with one seed; many of them are trained side by side."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import numpy as np

from portable_models.data import Array, DataSet, Samples
from portable_models.data.pipelines import pipeline as pipeline_named
from portable_models.random import portable_random
from portable_models.training.engines.engine import EpochReport
from portable_models.training.evaluation import evaluated, steps_shared
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
        (training,) = _train([self], _of(self, [Member(model, samples, self.recipe, validation)]))
        return model, training

    def member(self, samples: Samples, validation: Samples | None) -> Member:
        """A new model, built from the recipe's seed, and what it is trained on."""
        with portable_random(self.recipe.seed):
            return Member(self.build(), samples, self.recipe, validation)

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
    """What a variant trains on, validates on, and measures at the end.

    A procedure that has ``stages`` besides can be carried out for many seeds at once, see :func:`run_tasks`.
    """

    def run(self, task: Task) -> Trained:
        """Carry it out."""


Stages: TypeAlias = Generator[Sequence[Member], Sequence[Training], Trained]
"""A procedure that gives members to train, is sent their trainings, and returns what came out."""

MOST_WEIGHTS = 20_000_000
"""Weights of models that are trained side by side: with optimizers and copies, about 500 MB."""


def run_tasks(procedure: Procedure, tasks: Sequence[Task]) -> Iterator[Trained]:
    """Carry out a procedure for tasks that differ in the seed, and in a replica that is not 0.

    Where the procedure has ``stages``, the members of many tasks are trained by one ``fit_many``; else one
    task is carried out after the other.
    """
    if not _has_stages(procedure):
        for task in tasks:
            yield procedure.run(task)
        return
    waiting: list[tuple[Stages, Sequence[Member]]] = []
    weights = 0
    with steps_shared():
        for task in tasks:
            stages: Stages = procedure.stages(task)  # type: ignore[attr-defined]  # it has stages
            members = _of(task, next(stages))
            waiting.append((stages, members))
            weights += sum(math.prod(each.shape) for one in members for each in one.model.weights)
            if weights >= MOST_WEIGHTS:
                yield from _finish(tasks, waiting)
                waiting, weights = [], 0
        if waiting:
            yield from _finish(tasks, waiting)


def _has_stages(procedure: Procedure) -> bool:
    """Whether ``stages`` is what ``run`` does: a subclass may replace ``run`` alone."""
    defining = (kind for kind in type(procedure).__mro__ if {"run", "stages"} & vars(kind).keys())
    return "stages" in vars(next(defining, object))


def _finish(
    tasks: Sequence[Task], waiting: Sequence[tuple[Stages, Sequence[Member]]]
) -> list[Trained]:
    done: dict[int, Trained] = {}
    left = dict(enumerate(waiting))
    while left:
        trainings = iter(_train(tasks, [one for _, members in left.values() for one in members]))
        for place, (stages, members) in list(left.items()):
            try:
                following = stages.send(list(itertools.islice(trainings, len(members))))
                left[place] = stages, _of(tasks[place], following)
            except StopIteration as end:
                done[place] = end.value
                del left[place]
    return [done[place] for place in range(len(waiting))]


def _of(task: Task, members: Sequence[Member]) -> list[Member]:
    """Members as a task trains them."""
    return [replace(member, replica=task.replica) for member in members]


def _train(tasks: Sequence[Task], members: Sequence[Member]) -> list[Training]:
    task = tasks[0]
    return fit_many(
        members,
        pipeline=task.pipeline,
        engine=task.engine,
        progress=task.on_epoch or False,
        # What goes into a replica is known: it is the reference's, but for the last bit.
        prove=not task.replica,
        # The result of a cell says which engine ran and why.
        warn=False,
    )


def run_alone(procedure: Procedure, task: Task) -> Trained:
    """Carry out a procedure that has ``stages`` for one task."""
    (trained,) = run_tasks(procedure, [task])
    return trained
