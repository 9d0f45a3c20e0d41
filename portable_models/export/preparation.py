"""What is done to a loaded model before a target's file writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from portable_models.export.errors import RefusedError
from portable_models.export.inspection import View, layers_of
from portable_models.export.routes import Limit, Route


def check_limits(seen: View, route: Route) -> None:
    """Check that the target can hold the model.

    Raises:
        RefusedError: it cannot; the message is the limit's reason.
    """
    for limit in route.limits:
        if _TRAITS[limit](seen):
            raise RefusedError(str(limit))


def unroll(model: Any) -> None:
    """Make every recurrent layer, at any depth, a chain of its steps instead of a loop.

    ``unroll`` is read at every call, so it is switched on the layer in place: this reaches layers inside
    Bidirectional, nested and subclassed models alike, which cloning does not. The model is this process's
    own copy.
    """
    for layer in _recurrent(model):
        layer.unroll = True


def call_once(seen: View, batch: int) -> None:
    """Call the model on zeros, so that everything that a first call makes is there before tracing."""
    zeros = (
        np.zeros([batch if axis == 0 else size or 1 for axis, size in enumerate(tensor.shape)])
        for tensor in seen.signature.inputs
    )
    if any(tensor.dtype == "string" for tensor in seen.signature.inputs):
        return
    seen(
        [
            keras.ops.convert_to_tensor(value.astype(tensor.dtype))
            for value, tensor in zip(zeros, seen.signature.inputs, strict=True)
        ]
    )


def _recurrent(model: Any) -> list[Any]:
    # ConvLSTM layers are RNN too; Bidirectional and TimeDistributed hold theirs as sublayers.
    return [layer for layer in layers_of(model) if isinstance(layer, keras.layers.RNN)]


def _is_stateful(seen: View) -> bool:
    return any(layer.stateful for layer in _recurrent(seen.model))


def _has_free_length(seen: View) -> bool:
    for layer in _recurrent(seen.model):
        shape = (layer.get_build_config() or {}).get("input_shape")
        if shape is not None and _first_shape(shape)[1] is None:
            return True
    return False


def _first_shape(shape: Any) -> Any:
    return _first_shape(shape[0]) if isinstance(shape[0], list | tuple) else shape


def _takes_strings(seen: View) -> bool:
    return any(tensor.dtype == "string" for tensor in seen.signature.inputs)


def _computes_double(seen: View) -> bool:
    return any(
        keras.backend.standardize_dtype(variable.dtype) == "float64"
        for variable in seen.model.variables
    )


_TRAITS: dict[Limit, Callable[[View], bool]] = {
    Limit.STATEFUL: _is_stateful,
    Limit.FREE_LENGTH: _has_free_length,
    Limit.STRINGS: _takes_strings,
    Limit.DOUBLE: _computes_double,
    # Only the translation itself can tell: the torch-module target raises RefusedError by name of the layer.
    Limit.UNKNOWN_LAYER: lambda seen: False,
}
