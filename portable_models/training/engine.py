"""Engines: how the steps of a training are driven."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from portable_models.data.order import epoch_order
from portable_models.data.pipelines import Feed, Pipeline
from portable_models.data.samples import Indices, Samples
from portable_models.training.history import History
from portable_models.training.recipe import Recipe

EpochReport = Callable[[int, int, Mapping[str, float]], None]
"""Called after each epoch with the epoch (from 1), the number of epochs, and the epoch's metrics."""


@dataclass(frozen=True)
class Job:
    """A compiled model and everything it is trained with.

    Args:
        model: a built and compiled Keras model.
        samples: what it is trained on.
        recipe: the settings.
        pipeline: how samples reach Keras.
        validation: what is measured after each epoch.
        on_epoch: called after each epoch.
        programs: what an engine compiles and can use again for the next job that is given the same
            dictionary. The models of such jobs must be alike in all but their variables' values.
    """

    model: Any
    samples: Samples
    recipe: Recipe
    pipeline: Pipeline
    validation: Samples | None
    on_epoch: EpochReport | None
    programs: dict[Any, Any] = field(default_factory=dict)

    def order(self, epoch: int) -> Indices:
        """The order of the samples in one epoch (from 0): their indices, int64 of shape ``(n,)``."""
        recipe = self.recipe
        return epoch_order(len(self.samples), seed=recipe.seed, epoch=epoch, shuffle=recipe.shuffle)

    def keep(self, history: History, epoch: int, metrics: Mapping[str, float]) -> None:
        """Add the metrics of an epoch (from 0) to the history, and tell who waits for them."""
        for name, value in metrics.items():
            history.setdefault(name, []).append(value)
        if self.on_epoch is not None:
            self.on_epoch(epoch + 1, self.recipe.epochs, metrics)

    def training_feed(self, epoch: int) -> Feed:
        """The samples in the order of one epoch (from 0), with class weights."""
        recipe = self.recipe
        return self.pipeline.feed(
            self.samples, self.order(epoch), recipe.batch_size, class_weight=recipe.class_weight
        )


class Engine(Protocol):
    """Drives a training; a training that an engine cannot run is refused with the reason."""

    name: str

    def refuses(self, job: Job) -> str:
        """Why this engine cannot run the job; empty where it can."""

    def delivered(self, job: Job) -> list[str]:
        """SHA-256 of every batch of the first epoch, as this engine hands it to the step."""

    def run(self, job: Job) -> History:
        """Train, and return the metrics of each epoch."""


def choose(name: str, job: Job) -> tuple[Engine, str]:
    """The engine that runs the job, and why it is not the one asked for (empty where it is).

    Raises:
        ValueError: there is no engine of this name.
    """
    from portable_models.training.compiled_engine import CompiledEngine
    from portable_models.training.keras_engine import KerasEngine

    keras_engine = KerasEngine()
    engines: dict[str, Engine] = {each.name: each for each in (keras_engine, CompiledEngine())}
    if name not in engines:
        raise ValueError(f"unknown engine {name!r}: expected compiled or keras")
    reason = engines[name].refuses(job)
    return (keras_engine, f"not compiled: {reason}") if reason else (engines[name], "")
