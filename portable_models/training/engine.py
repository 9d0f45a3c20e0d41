"""Engines: how the steps of a training are driven."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from portable_models.data.order import epoch_order
from portable_models.data.pipelines import Feed, Pipeline
from portable_models.data.samples import Samples
from portable_models.training.history import History
from portable_models.training.recipe import Recipe

EpochReport = Callable[[int, int, Mapping[str, float]], None]
"""Called after each epoch with the epoch (from 1), the number of epochs, and the epoch's metrics."""


@dataclass(frozen=True)
class Job:
    """A compiled model and everything it is trained with."""

    model: Any
    samples: Samples
    recipe: Recipe
    pipeline: Pipeline
    validation: Samples | None
    on_epoch: EpochReport | None

    def training_feed(self, epoch: int) -> Feed:
        """The samples in the order of one epoch (from 0), with class weights."""
        recipe = self.recipe
        order = epoch_order(
            len(self.samples), seed=recipe.seed, epoch=epoch, shuffle=recipe.shuffle
        )
        return self.pipeline.feed(
            self.samples, order, recipe.batch_size, class_weight=recipe.class_weight
        )


class Engine(Protocol):
    """Drives a training; a training that an engine cannot run is refused with the reason."""

    name: str

    def refuses(self, job: Job) -> str:
        """Why this engine cannot run the job; empty where it can."""

    def run(self, job: Job) -> History:
        """Train, and return the metrics of each epoch."""


def choose(name: str, job: Job) -> tuple[Engine, str]:
    """The engine that runs the job, and why it is not the one asked for (empty where it is).

    Raises:
        ValueError: there is no engine of this name.
    """
    from portable_models.training.keras_engine import KerasEngine

    engines: dict[str, Engine] = {each.name: each for each in (KerasEngine(),)}
    if name in engines:
        return engines[name], ""
    if name == "compiled":
        return engines["keras"], (
            "this version of portable_models has no compiled engine yet, so Model.fit was used"
        )
    raise ValueError(f"unknown engine {name!r}: expected compiled or keras")
