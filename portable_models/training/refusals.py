"""What the compiled engine cannot drive, found out before anything is compiled."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from portable_models.data.samples import ArraySamples, MultiHotSamples
from portable_models.training.callbacks import make_callbacks
from portable_models.training.engine import Job
from portable_models.training.rows import rows_of

_OF_BATCHES = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)


def unfit(job: Job) -> str:
    """Why a job is none for a program; empty where it is one."""
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
