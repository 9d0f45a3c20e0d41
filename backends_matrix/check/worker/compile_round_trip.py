"""Losses and metrics of a compiled model, before and after they went through their configuration."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from backends_matrix.check.worker.recorder import StageSkipped
from backends_matrix.check.worker.subject import Subject
from portable_models._keras.compile_settings import compiled_parts

Array = NDArray[Any]


def compile_round_trip(subject: Subject, found: dict[str, Any]) -> None:
    """Losses and metrics of the same outputs, as compiled and as compiled again from the configuration.

    Args:
        subject: with a model that its builder has compiled.
        found: gets ``compiled`` and ``compiled_again``, logs by name, and ``settings``, the configuration of
            every loss and metric of Keras's own, by name.

    Raises:
        StageSkipped: there is nothing to compute.
    """
    model = subject.model
    config = model.get_compile_config() if subject.was_compiled else None
    if config is None or subject.y is None or model.loss is None:
        raise StageSkipped("the model was not compiled with a loss that is computed of targets")
    x, y = subject.tensors(subject.x), subject.tensors(subject.y)
    outputs = model(x, training=False)
    subject.restore()
    found["@compiled"] = _logs(model, x, y, outputs)
    found["settings"] = _settings(model)
    copy = type(model).from_config(model.get_config())
    if not copy.built:
        copy(x, training=False)
    copy.compile_from_config(config)
    found["@compiled_again"] = _logs(copy, x, y, outputs)


def _logs(model: Any, x: Any, y: Any, outputs: Any) -> dict[str, Array]:
    model.reset_metrics()
    loss = model.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=None, training=False)
    # The model's own logs hold the running mean of its loss, which nothing has been added to here.
    logs = dict(model.compute_metrics(x, y, outputs, None)) | {"loss": loss}
    model.reset_metrics()
    return {
        name: np.asarray(keras.ops.convert_to_numpy(value), np.float64)
        for name, value in logs.items()
        if not isinstance(value, dict)
    }


def _settings(model: Any) -> dict[str, dict[str, Any]]:
    """Class and configuration of losses and metrics, as JSON where they can be written so."""
    found: dict[str, dict[str, Any]] = {}
    for part in compiled_parts(model):
        if not isinstance(part, keras.Metric | keras.Loss):
            continue
        kind = type(part)
        if not kind.__module__.startswith("keras."):
            continue
        try:
            config = json.loads(json.dumps(part.get_config()))
        except (TypeError, ValueError):
            continue
        found[part.name] = {"class": kind.__name__, "config": config}
    return found
