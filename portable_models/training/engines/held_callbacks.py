"""Callbacks of one training that goes through several calls of ``Model.fit``, or only part of it does."""

from __future__ import annotations

from typing import Any

import keras

from portable_models.training.engines.engine import Job


class HeldCallbacks(keras.callbacks.CallbackList):  # type: ignore[misc]  # keras has no complete types
    """A ready list of callbacks, whose begin and end of training are called by the engine.

    ``Model.fit`` takes such a list as it is. It is called once for each epoch where the order of samples
    changes between epochs, and for the rest of a training that the compiled engine began. Callbacks such as
    early stopping forget what they know at ``on_train_begin``, which they must see once.
    """

    _begun: int | None = None

    @classmethod
    def of(cls, job: Job, model: Any) -> HeldCallbacks:
        """The callbacks of a job, with Keras's own for the history and the progress bar."""
        settings = job.settings
        return cls(
            list(settings.callbacks),
            add_history=True,
            add_progbar=settings.verbose != 0,
            model=model,
            verbose=settings.verbose,
            epochs=settings.epochs,
            steps=-(-len(job.rows) // settings.batch_size),
        )

    def on_train_begin(self, logs: Any = None) -> None:
        """Held back; see ``begin``."""

    def on_train_end(self, logs: Any = None) -> None:
        """Held back; see ``end``."""

    def begin(self) -> None:
        """Tell the callbacks that the training begins."""
        super().on_train_begin()

    def end(self, logs: Any = None) -> None:
        """Tell the callbacks that the training has ended."""
        super().on_train_end(logs)

    def epoch_has_begun(self, epoch: int) -> None:
        """The callbacks have seen the begin of this epoch already, so ``Model.fit`` must not repeat it."""
        self._begun = epoch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Tell the callbacks that an epoch begins, once."""
        if self._begun == epoch:
            self._begun = None
            return
        super().on_epoch_begin(epoch, logs)
