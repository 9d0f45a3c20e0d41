"""The allow-list of the compiled engine: what a program is known to train exactly as ``Model.fit`` does.

Each entry is proven against ``Model.fit`` by a test. What is not on the list runs on ``Model.fit``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from portable_models._backend import current
from portable_models._keras.compile_settings import compiled_parts, limits_for_debugging
from portable_models._keras.layers import all_layers
from portable_models.data.samples import ArraySamples, MultiHotSamples
from portable_models.training.engines.engine import Job
from portable_models.training.engines.foreign_code import foreign_parts, unproven_parts
from portable_models.training.engines.side_effects import changes_something, is_own_method_of_keras

callbacks = keras.callbacks


def _always(_: Any) -> str:
    return ""


def _saves_by_epoch(callback: Any) -> str:
    return "" if callback.save_freq == "epoch" else "it saves between epochs (save_freq)"


def _schedules_a_rate(callback: Any) -> str:
    # Its schedule is a function of the user's. Keras calls it before it traces the first step.
    if current().runs_python_at_every_step:
        return (
            "its schedule is Python code, which on this backend may change what the next step does"
        )
    if why := changes_something(callback.schedule):
        return f"its schedule {why}, which may change what the next step does"
    return ""


def _keeps_history(callback: Any) -> str:
    return "it was used before and goes on with its history" if callback.history else ""


CALLBACKS: dict[type, Callable[[Any], str]] = {
    callbacks.CSVLogger: _always,
    callbacks.EarlyStopping: _always,
    callbacks.History: _keeps_history,
    callbacks.LearningRateScheduler: _schedules_a_rate,
    callbacks.ModelCheckpoint: _saves_by_epoch,
    callbacks.ReduceLROnPlateau: _always,
    callbacks.SwapEMAWeights: _always,
    callbacks.TerminateOnNaN: _always,
}
"""Callbacks that change variables, files and ``stop_training`` only, and when they do not."""
_OWN = "portable_models."
"""Callbacks of this library watch epochs only; their modules begin like this."""


_DRIVERS = ("fit", "evaluate", "make_train_function", "make_test_function", "reset_metrics")
"""Methods of a model that drive its steps, which a program does in their place."""


def unfit_data(job: Job) -> str:
    """Why the data of a job cannot be read by a program; empty where it can."""
    if job.given is not None and job.given.why_not_arrays:
        return job.given.why_not_arrays
    if job.pipeline.name != "numpy":
        return f"the pipeline {job.pipeline.name} hands over one batch at a time"
    for samples in (job.samples, job.validation):
        if samples is not None and not isinstance(samples, (ArraySamples, MultiHotSamples)):
            return f"{type(samples).__name__} can only be read batch by batch"
    return ""


def unfit_callbacks(job: Job) -> str:
    """Why the callbacks of a job need ``Model.fit``; empty where they do not."""
    for callback in job.settings.callbacks:
        kind = type(callback)
        if kind.__module__.startswith(_OWN):
            continue
        if kind not in CALLBACKS:
            return (
                f"the callback {kind.__qualname__} may change anything at any batch; compiled are "
                + ", ".join(sorted(each.__name__ for each in CALLBACKS))
            )
        if reason := CALLBACKS[kind](callback):
            return f"the callback {kind.__name__}: {reason}"
        if changed := sorted(name for name in vars(callback) if name.startswith("on_")):
            return f"the callback {kind.__name__} has {changed[0]} replaced"
    return ""


def unfit_settings(job: Job) -> str:
    """Why the way in which the model was compiled needs ``Model.fit``; empty where it does not."""
    if job.model.run_eagerly:
        return "the model was compiled with run_eagerly=True"
    for name in _DRIVERS:
        if not is_own_method_of_keras(job.model, name):
            return f"the model has its own {name}()"
    for layer in all_layers(job.model):
        if not layer.supports_jit:
            return f"the layer {layer.name} says that it cannot be compiled (supports_jit)"
    for metric in compiled_parts(job.model):
        if not isinstance(metric, keras.metrics.Metric):
            continue
        if why := changes_something(type(metric).reset_state, type(metric)):
            return f"reset_state() of the metric {type(metric).__name__} {why}"
    return limits_for_debugging() or current().refuses_model(job.model)


def unfit_model(job: Job) -> str:
    """Why a built model needs ``Model.fit``; empty where it does not."""
    if not current().runs_python_at_every_step:
        return ""
    if unproven := unproven_parts(job.model):
        return (
            f"{unproven[0]} is not proven to train in a program on this backend as it does without"
        )
    if foreign := foreign_parts(job.model):
        return (
            f"{foreign[0]} is Python code that Keras runs at every step on this backend, and a program "
            "would run once; compiled are the layers, losses, metrics and optimizers of Keras"
        )
    return ""


def not_worth_it(jobs: Sequence[Job]) -> str:
    """Why compiling jobs that share a program would take longer than it saves; empty where it does not."""
    return current().not_worth_compiling(jobs[0].model, sum(map(_steps, jobs)))


def _steps(job: Job) -> int:
    assert job.samples is not None
    settings = job.settings
    return -(-len(job.samples) // settings.batch_size) * (settings.epochs - job.done)
