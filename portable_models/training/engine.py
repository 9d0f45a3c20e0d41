"""Engines: how the steps of trainings are driven."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from portable_models.data.order import epoch_order
from portable_models.data.pipelines import Feed, Pipeline
from portable_models.data.samples import Indices, Samples
from portable_models.training.beside import Beside
from portable_models.training.checkpoint import Keeper
from portable_models.training.history import History, epochs_of
from portable_models.training.recipe import Recipe

EpochReport = Callable[[int, int, Mapping[str, float]], None]
"""Called after each epoch with the epoch (from 1), the number of epochs, and the epoch's metrics."""


@dataclass(frozen=True, eq=False)
class Job:
    """A compiled model and everything it is trained with.

    Args:
        model: a built and compiled Keras model.
        samples: what it is trained on.
        recipe: the settings.
        pipeline: how samples reach Keras.
        validation: what is measured after each epoch.
        on_epoch: called after each epoch.
        keeper: keeps a checkpoint, or None.
        history: filled epoch by epoch; not empty where a training goes on from a checkpoint.
    """

    model: Any
    samples: Samples
    recipe: Recipe
    pipeline: Pipeline
    validation: Samples | None
    on_epoch: EpochReport | None
    keeper: Keeper | None = None
    history: History = field(default_factory=dict)

    def order(self, epoch: int) -> Indices:
        """The order of the samples in one epoch (from 0): their indices, int64 of shape ``(n,)``."""
        recipe = self.recipe
        return epoch_order(len(self.samples), seed=recipe.seed, epoch=epoch, shuffle=recipe.shuffle)

    @property
    def done(self) -> int:
        """How many epochs have run."""
        return epochs_of(self.history)

    def add(self, metrics: Mapping[str, float]) -> None:
        """Add the metrics of an epoch to the history."""
        for name, value in metrics.items():
            self.history.setdefault(name, []).append(value)

    def keep(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Add the metrics of an epoch (from 0) to the history, and tell who waits for them."""
        self.add(metrics)
        if self.keeper is not None:
            self.keeper.keep(epoch + 1, self.history)
        if self.on_epoch is not None:
            self.on_epoch(epoch + 1, self.recipe.epochs, metrics)

    def training_feed(self, epoch: int) -> Feed:
        """The samples in the order of one epoch (from 0), with class weights."""
        recipe = self.recipe
        return self.pipeline.feed(
            self.samples, self.order(epoch), recipe.batch_size, class_weight=recipe.class_weight
        )


class Engine(Protocol):
    """Drives trainings; those that an engine cannot run are refused with the reason."""

    name: str
    compile_seconds: float
    """Wall time spent on tracing and compiling, in seconds."""

    def refuses(self, jobs: Sequence[Job]) -> str:
        """Why this engine cannot run the jobs; empty where it can, as far as is known before compiling."""

    def read(self, aside: Beside) -> list[Callable[[], list[str]]]:
        """Leave to ``aside`` to read what is delivered, of jobs that were not refused.

        Returns:
            For each job what gives the SHA-256 of every batch of the first epoch, as this engine hands it
            to the step.
        """

    def compile(self) -> str:
        """Compile what needs compiling; why that failed, or nothing."""

    def run(self, jobs: Sequence[Job]) -> None:
        """Train every job, filling its history.

        A callback may end a training early; its history then holds the epochs that ran.
        """


@dataclass(frozen=True)
class Chosen:
    """An engine that is ready to run some jobs.

    Args:
        engine: the engine.
        reason: why it is not the one that was asked for; empty where it is.
        delivered: what ``Engine.read`` gives, or nothing where it was not asked for.
    """

    engine: Engine
    reason: str
    delivered: Sequence[Callable[[], list[str]]]


def choose(name: str, jobs: Sequence[Job], aside: Beside | None = None) -> Chosen:
    """The engine that runs the jobs, compiled.

    Args:
        name: ``"compiled"`` or ``"keras"``.
        jobs: jobs that are alike.
        aside: reads what is delivered; None for not at all.

    Raises:
        ValueError: there is no engine of this name.
    """
    from portable_models.training.compiled_engine import CompiledEngine
    from portable_models.training.keras_engine import KerasEngine

    engines: dict[str, type[Engine]] = {"compiled": CompiledEngine, "keras": KerasEngine}
    if name not in engines:
        raise ValueError(f"unknown engine {name!r}: expected compiled or keras")
    engine = engines[name]()
    reason, delivered = engine.refuses(jobs), []
    if not reason:
        delivered = [] if aside is None else engine.read(aside)
        reason = engine.compile()
    if not reason:
        return Chosen(engine, "", delivered)
    engine = KerasEngine()
    engine.refuses(jobs)
    delivered = [] if aside is None else engine.read(aside)
    return Chosen(engine, f"not compiled: {reason}", delivered)
