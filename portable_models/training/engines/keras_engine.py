"""``engine="keras"``: ``Model.fit`` itself, in the project's order of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import keras
import numpy as np

from portable_models._backend import current
from portable_models._keras.building import is_built
from portable_models.data.samples import map_arrays
from portable_models.random import portable_random
from portable_models.training.background import BackgroundWork
from portable_models.training.engines.engine import Job
from portable_models.training.engines.held_callbacks import HeldCallbacks
from portable_models.training.probe import batch_digest, batch_digests
from portable_models.training.programs.rows import as_keras


class KerasEngine:
    """Calls ``Model.fit``: once with the user's own arguments, or once for each epoch of a study."""

    name = "keras"
    compile_seconds = 0.0
    """Keras compiles within its first step, which cannot be told apart."""

    def __init__(self) -> None:
        self._jobs: Sequence[Job] = ()

    def refuses(self, jobs: Sequence[Job]) -> str:
        """Nothing is refused: this is what the other engines fall back to."""
        self._jobs = jobs
        return ""

    def read(self, work: BackgroundWork) -> list[Callable[[], list[str]]]:
        """The batches of the first epoch: through Keras's data adapters, or by their rows."""
        del work
        return [
            partial(
                list, batch_digests(job.training_feed(0)) if job.given is None else _by_rows(job)
            )
            for job in self._jobs
        ]

    def compile(self) -> str:
        """Keras does so by itself."""
        return ""

    def failure(self, job: Job) -> str:
        """Nothing else finishes what this engine begins."""
        del job
        return ""

    def apart_because(self, job: Job) -> str:
        """Nothing: ``Model.fit`` trains one model."""
        return ""

    def run(self, jobs: Sequence[Job]) -> None:
        """Train one job after the other."""
        for job in jobs:
            built = is_built(job.model) and getattr(job.model.optimizer, "built", False)
            kept = current().variables_kept(job.model) if built else nullcontext()
            with portable_random(job.settings.seed), current().logs_kept(job.model), kept:
                if job.given is None:
                    callbacks = HeldCallbacks.of(job, job.model)
                    callbacks.begin()
                    logs = finish_by_epoch(job, callbacks)
                    callbacks.end(logs)
                else:
                    _fit_whole(job)


def _by_rows(job: Job) -> list[str]:
    """SHA-256 of each batch of the first epoch, of the rows that Keras slices; nothing for other data."""
    if job.samples is None:
        return []
    order, size = job.order(job.settings.initial_epoch), job.settings.batch_size
    return [
        batch_digest(list(map_arrays(as_keras, tuple(job.rows.take(order[first : first + size])))))
        for first in range(0, len(order), size)
    ]


def _fit_whole(job: Job) -> None:
    """One call of ``Model.fit`` for the whole training, with what the user gave."""
    assert job.given is not None
    settings = job.settings
    keywords = dict(job.given.keywords)
    own: list[Any] = []
    if job.keeper is not None or job.on_epoch is not None:
        own.append(_Keeping(job))
    epoch = _Epoch(job.done)
    if job.given.order_is_ours:
        x, y, weight = map_arrays(as_keras, tuple(job.rows.take(np.arange(len(job.rows)))))
        given, reorder = current().reordered(
            (x, y, weight), lambda: job.order(epoch.number), settings.batch_size
        )
        for name in ("x", "y", "sample_weight", "class_weight", "batch_size", "shuffle"):
            keywords.pop(name, None)
        keywords |= {**given, "shuffle": False}
        # First, so that the order of an epoch is there before anything else happens in it.
        epoch.began = reorder
        keywords["callbacks"] = [epoch, *_listed(settings.callbacks), *own]
    elif own:
        keywords["callbacks"] = [*_listed(settings.callbacks), *own]
    keywords["initial_epoch"] = job.done
    fitted = None
    try:
        fitted = job.model.fit(**keywords)
    finally:
        found = fitted or getattr(job.model, "history", None)
        if not own and found is not None:
            job.history.update({name: list(points) for name, points in found.history.items()})


def _listed(callbacks: Any) -> list[Any]:
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]


class _Epoch(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no complete types
    """Knows which epoch runs, and has the data put in its order."""

    async_safe = True

    def __init__(self, first: int) -> None:
        super().__init__()
        self.number = first
        self.began: Callable[[], None] = lambda: None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Put the data in the order of this epoch."""
        self.number = epoch
        self.began()


class _Keeping(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no complete types
    """Hands every epoch to the job: its history, its checkpoint and its report."""

    async_safe = True

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the epoch."""
        self._job.keep(epoch, dict(logs or {}))


def finish_by_epoch(job: Job, callbacks: HeldCallbacks) -> dict[str, Any]:
    """Train the epochs that are left, one call of ``Model.fit`` for each, and return the last logs."""
    model, settings = job.model, job.settings
    validation: dict[str, Any] = {}
    if job.validation is not None:
        every = np.arange(len(job.validation))
        feed = job.pipeline.feed(job.validation, every, settings.validation_batch_size)
        validation = feed.validation_arguments() | {"validation_freq": settings.validation_freq}
    latest: dict[str, Any] = {}
    with _finalized_once(model):
        for epoch in range(job.done, settings.epochs):
            logs = model.fit(
                **job.training_feed(epoch).arguments(),
                **validation,
                initial_epoch=epoch,
                epochs=epoch + 1,
                shuffle=False,
                callbacks=callbacks,
                verbose=0,
            ).history
            latest = {name: points[-1] for name, points in logs.items()}
            job.keep(epoch, latest)
            if model.stop_training:
                break
    return latest


@contextmanager
def _finalized_once(model: Any) -> Iterator[None]:
    """With EMA, ``fit`` puts the averages in the place of the weights when it ends: here at the real end.

    The optimizer is put back on every way out.
    """
    optimizer = model.optimizer
    optimizer.finalize_variable_values = lambda trainable_variables: None
    try:
        yield
    finally:
        del optimizer.finalize_variable_values
    optimizer.finalize_variable_values(model.trainable_weights)
