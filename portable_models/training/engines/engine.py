"""Engines: how the steps of trainings are driven."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from portable_models.data.order import epoch_order
from portable_models.data.pipelines import Feed, Pipeline
from portable_models.data.samples import Indices, Samples
from portable_models.training.arguments import Given
from portable_models.training.background import BackgroundWork
from portable_models.training.checkpoint import Keeper
from portable_models.training.history import History, epochs_of
from portable_models.training.settings import Settings

EpochReport = Callable[[int, int, Mapping[str, float]], None]
"""Called after each epoch with the epoch (from 1), the number of epochs, and the epoch's metrics."""


@dataclass(frozen=True, eq=False)
class Job:
    """A compiled model and everything it is trained with.

    Args:
        model: a compiled Keras model.
        samples: what it is trained on; None where only Keras can read it.
        settings: how it is trained.
        pipeline: how samples reach Keras.
        validation: what is measured after each epoch, where that can be read by row.
        on_epoch: called after each epoch.
        keeper: keeps a checkpoint, or None.
        history: filled epoch by epoch; not empty where a training resumes from a checkpoint.
        given: the arguments of the user's call, for ``Model.fit``; None for a study.
    """

    model: Any
    samples: Samples | None
    settings: Settings
    pipeline: Pipeline
    validation: Samples | None
    on_epoch: EpochReport | None
    keeper: Keeper | None = None
    history: History = field(default_factory=dict)
    given: Given | None = None

    @property
    def rows(self) -> Samples:
        """The samples of a job that can be read by row."""
        assert self.samples is not None
        return self.samples

    def order(self, epoch: int) -> Indices:
        """The order of the samples in one epoch (from 0): their indices, int64 of shape ``(n,)``."""
        settings = self.settings
        return epoch_order(
            len(self.rows), seed=settings.seed, epoch=epoch, shuffle=settings.shuffle
        )

    @property
    def done(self) -> int:
        """The next epoch to run, counted from 0."""
        return self.settings.initial_epoch + epochs_of(self.history)

    def add(self, metrics: Mapping[str, float]) -> None:
        """Add the metrics of an epoch to the history."""
        for name, value in metrics.items():
            self.history.setdefault(name, []).append(value)

    def keep(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Add the metrics of an epoch (from 0) to the history; write the checkpoint and report."""
        self.add(metrics)
        if self.keeper is not None:
            self.keeper.keep(epoch + 1, self.history)
        if self.on_epoch is not None:
            self.on_epoch(epoch + 1, self.settings.epochs, metrics)

    def training_feed(self, epoch: int) -> Feed:
        """The samples in the order of one epoch (from 0), with class weights."""
        settings = self.settings
        return self.pipeline.feed(
            self.rows,
            self.order(epoch),
            settings.batch_size,
            class_weight=settings.class_weight,
        )


class Engine(Protocol):
    """Drives trainings; those that an engine cannot run are refused with the reason."""

    name: str
    compile_seconds: float
    """Wall time spent on tracing and compiling, in seconds."""

    def refuses(self, jobs: Sequence[Job]) -> str:
        """Why this engine cannot run the jobs; empty where it can, as far as is known before compiling."""

    def read(self, work: BackgroundWork) -> list[Callable[[], list[str]]]:
        """Digest the batches of the first epoch, in a background thread where that is possible.

        Returns:
            For each job a function that waits for the SHA-256 of every batch as this engine hands it to the
            step.
        """

    def compile(self) -> str:
        """Compile what needs compiling; the reason if that failed, or nothing."""

    def failure(self, job: Job) -> str:
        """Why ``Model.fit`` finished a job that this engine began; empty where it did not."""

    def apart_because(self, job: Job) -> str:
        """Why a job is trained by itself though others could be trained with it; empty elsewhere."""

    def run(self, jobs: Sequence[Job]) -> None:
        """Train every job, filling its history.

        A callback may end a training early; its history then holds the epochs that ran.
        """
