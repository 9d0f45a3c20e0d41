"""``engine="compiled"``: whole epochs as one compiled program, over Keras's own training step.

The step is the model's ``train_step``, so losses, metrics, optimizer, regularizers, seeded layers and a
``train_step`` or ``compute_loss`` of the user's own mean what they mean to ``Model.fit``. What is saved is
the way from Python to the device and back at every step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from portable_models._backend import current
from portable_models._backend.base import Program
from portable_models.data.samples import ArraySamples, MultiHotSamples
from portable_models.training.callbacks import make_callbacks
from portable_models.training.engine import Job
from portable_models.training.history import History
from portable_models.training.keras_engine import VALIDATION_BATCH, OneTraining
from portable_models.training.probe import batch_digest
from portable_models.training.rows import Rows, rows_of

_OF_BATCHES = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)


class CompiledEngine:
    """Drives whole epochs on the device."""

    name = "compiled"

    def refuses(self, job: Job) -> str:
        """Why this job cannot be compiled; empty where it can."""
        if reason := current().refuses_programs():
            return reason
        if job.pipeline.name != "numpy":
            return f"the pipeline {job.pipeline.name} hands over one batch at a time"
        for samples in (job.samples, job.validation):
            if samples is not None and not isinstance(samples, (ArraySamples, MultiHotSamples)):
                return f"{type(samples).__name__} can only be read batch by batch"
        if rows_of(job.samples.subset(np.arange(1))) is None:
            return "the samples hold other things than numbers"
        for layer in job.model._flatten_layers():
            if not layer.supports_jit:
                return f"the layer {layer.name} says that it cannot be compiled (supports_jit)"
        for callback in make_callbacks(job.recipe):
            if method := _watches_batches(callback):
                return f"the callback {type(callback).__name__} watches every batch ({method})"
        return ""

    def delivered(self, job: Job) -> list[str]:
        """SHA-256 of every batch of the first epoch, as the program reads it from the device."""
        rows = _rows(job.samples, job.recipe.class_weight)
        tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, rows.arrays)
        whole, rest = _batches(job.order(0), job.recipe.batch_size)
        return [
            batch_digest(rows.gather(tensors, keras.ops.convert_to_tensor(indices)))
            for indices in [*whole, *([rest] if len(rest) else [])]
        ]

    def run(self, job: Job) -> History:
        """Train, and return the metrics of each epoch.

        A callback may end the training early; the history then holds the epochs that ran.
        """
        recipe = job.recipe
        training = _rows(job.samples, recipe.class_weight)
        validation = None if job.validation is None else _rows(job.validation)
        job.model._symbolic_build(data_batch=_first(training))
        programs = _programs(job, training, validation)
        programs.take(job.model)
        model = programs.model
        callbacks = OneTraining.of(job, model)
        tensors = current().to_device(training.arrays)
        held_out = None if validation is None else current().to_device(validation.arrays)
        history: History = {}
        model.stop_training = False
        callbacks.begin()
        for epoch in range(recipe.epochs):
            callbacks.on_epoch_begin(epoch)
            model.reset_metrics()
            programs.train(tensors, *_batches(job.order(epoch), recipe.batch_size))
            logs = _metrics(model)
            if validation is not None:
                callbacks.on_test_begin()
                model.reset_metrics()
                programs.test(held_out, *_batches(np.arange(validation.count), VALIDATION_BATCH))
                measured = _metrics(model)
                callbacks.on_test_end(measured)
                logs |= {f"val_{name}": value for name, value in measured.items()}
            callbacks.on_epoch_end(epoch, logs)
            # Keras's own record, since callbacks such as a scheduler add to the logs.
            latest = {name: float(points[-1]) for name, points in model.history.history.items()}
            job.keep(history, epoch, latest)
            if model.stop_training:
                break
        model.optimizer.finalize_variable_values(model.trainable_weights)
        callbacks.end()
        programs.give(job.model)
        return history


@dataclass
class _Programs:
    """Compiled programs, and the model whose variables they work on."""

    model: Any
    train: Program
    test: Program

    def take(self, model: Any) -> None:
        """Begin with the state of a model that is alike."""
        _copy(model, self.model)

    def give(self, model: Any) -> None:
        """Leave the state with it."""
        _copy(self.model, model)


def _copy(source: Any, target: Any) -> None:
    if source is target:
        return
    for ours, theirs in (
        (source.variables, target.variables),
        (source.optimizer.variables, target.optimizer.variables),
    ):
        for variable, other in zip(ours, theirs, strict=True):
            other.assign(variable.value)


def _programs(job: Job, training: Rows, validation: Rows | None) -> _Programs:
    """The programs for a job: those of an earlier one that shares ``job.programs``, or new ones."""
    key = (training.kind, None if validation is None else validation.kind)
    if key not in job.programs:
        train = current().training_program(job.model, training.gather)
        test = current().test_program(job.model, (validation or training).gather)
        job.programs[key] = _Programs(job.model, train, test)
    found: _Programs = job.programs[key]
    return found


def _watches_batches(callback: Any) -> str:
    """The method through which a callback watches batches; empty where it has none, or sleeps in it."""
    if isinstance(callback, (keras.callbacks.ModelCheckpoint, keras.callbacks.BackupAndRestore)):
        return "" if callback.save_freq == "epoch" else "save_freq"
    if isinstance(callback, keras.callbacks.TensorBoard):
        return (
            "" if callback.update_freq == "epoch" and not callback.profile_batch else "update_freq"
        )
    base = keras.callbacks.Callback
    return next(
        (
            name
            for name in _OF_BATCHES
            if getattr(type(callback), name) is not getattr(base, name) or name in vars(callback)
        ),
        "",
    )


def _rows(samples: Any, class_weight: Any = None) -> Rows:
    found = rows_of(samples, class_weight)
    if found is None:
        raise ValueError("the samples hold other things than numbers")
    return found


def _first(rows: Rows) -> Any:
    """One row as a batch, for Keras to build loss, metrics and optimizer by its shape."""
    one = keras.tree.map_structure(
        lambda array: keras.ops.convert_to_tensor(array[:1]), rows.arrays
    )
    return rows.gather(one, keras.ops.convert_to_tensor(np.zeros(1, np.int32)))


def _batches(order: Any, size: int) -> tuple[Any, Any]:
    """Indices of whole batches, int32 of shape ``(steps, size)``, and of what is left over."""
    order = np.asarray(order, np.int32)
    whole = len(order) // size * size
    return order[:whole].reshape(-1, size), order[whole:]


def _metrics(model: Any) -> dict[str, float]:
    """The metrics as ``fit`` reports them; those of a dict of metrics under their own names."""
    flat: dict[str, float] = {}
    for name, value in model.get_metrics_result().items():
        values = value if isinstance(value, dict) else {name: value}
        flat |= {key: float(keras.ops.convert_to_numpy(each)) for key, each in values.items()}
    return flat
