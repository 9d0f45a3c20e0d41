"""``engine="keras"``: Keras's own loop, given one epoch at a time in the project's order of samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np

from portable_models.random import portable_random
from portable_models.training.beside import Beside
from portable_models.training.callbacks import make_callbacks
from portable_models.training.engine import Job
from portable_models.training.probe import batch_digests

VALIDATION_BATCH = 512
"""Samples per validation step: it changes nothing but speed, up to rounding of the mean."""


class OneTraining(keras.callbacks.CallbackList):  # type: ignore[misc]  # keras has no complete types
    """Callbacks that see one training, although ``Model.fit`` is called once for each epoch.

    ``fit`` cannot change the order of samples between epochs of one call, for most inputs; it does take
    a ready list of callbacks. Its begin and end of training are held back until they are real: callbacks
    such as early stopping forget what they know at ``on_train_begin``.
    """

    @classmethod
    def of(cls, job: Job, model: Any) -> OneTraining:
        """New callbacks for a job, the one that records the history among them."""
        return cls(
            make_callbacks(job.recipe),
            add_history=True,
            model=model,
            epochs=job.recipe.epochs,
            steps=-(-len(job.samples) // job.recipe.batch_size),
            verbose=0,
        )

    def on_train_begin(self, logs: Any = None) -> None:
        """Held back; see ``begin``."""

    def on_train_end(self, logs: Any = None) -> None:
        """Held back; see ``end``."""

    def begin(self) -> None:
        """The training begins."""
        super().on_train_begin()

    def end(self) -> None:
        """The training has ended."""
        super().on_train_end()


class KerasEngine:
    """Drives ``Model.fit``, one call for each epoch."""

    name = "keras"
    compile_seconds = 0.0
    """Keras compiles within its first step, which cannot be told apart."""

    def __init__(self) -> None:
        self._jobs: Sequence[Job] = ()

    def refuses(self, jobs: Sequence[Job]) -> str:
        """Nothing is refused: this is what the other engines fall back to."""
        self._jobs = jobs
        return ""

    def read(self, aside: Beside) -> list[Callable[[], list[str]]]:
        """Through Keras's own data adapters; at once, since Keras's loop runs in one thread at a time."""
        del aside
        return [partial(list, batch_digests(job.training_feed(0))) for job in self._jobs]

    def compile(self) -> str:
        """Keras does so by itself."""
        return ""

    def run(self, jobs: Sequence[Job]) -> None:
        """Train one job after the other."""
        for job in jobs:
            with portable_random(job.recipe.seed):
                self._train(job)

    def _train(self, job: Job) -> None:
        model, recipe = job.model, job.recipe
        validation: dict[str, Any] = {}
        if job.validation is not None:
            every = np.arange(len(job.validation))
            validation = job.pipeline.feed(
                job.validation, every, VALIDATION_BATCH
            ).validation_arguments()
        callbacks = OneTraining.of(job, model)
        # With EMA, `fit` puts the averages in the place of the weights when it ends: once, at the real end.
        finalize = model.optimizer.finalize_variable_values
        model.optimizer.finalize_variable_values = lambda trainable_variables: None
        callbacks.begin()
        for epoch in range(job.done, recipe.epochs):
            logs = model.fit(
                **job.training_feed(epoch).arguments(),
                **validation,
                initial_epoch=epoch,
                epochs=epoch + 1,
                shuffle=False,
                callbacks=callbacks,
                verbose=0,
            ).history
            latest = {name: float(points[-1]) for name, points in logs.items()}
            job.keep(epoch, latest)
            if model.stop_training:
                break
        model.optimizer.finalize_variable_values = finalize
        finalize(model.trainable_weights)
        callbacks.end()
