"""Tensors of a traced call that a layer has kept in an attribute."""

from __future__ import annotations

from typing import Any

import keras

from portable_models._backend import current
from portable_models._keras.layers import all_layers


def leaked_tensors(model: Any) -> list[dict[str, Any]]:
    """Attributes of the user's own layers that hold tensors which exist only while code is traced.

    Returns:
        ``layer``, ``class`` and ``attribute`` of each.
    """
    found = []
    for layer in all_layers(model):
        if type(layer).__module__.startswith("keras."):
            continue
        for name, value in list(vars(layer).items()):
            if name not in _KERAS_OWN and any(map(_is_traced, _leaves(value))):
                found.append(
                    {"layer": layer.path, "class": type(layer).__name__, "attribute": name}
                )
    return found


_KERAS_OWN = frozenset(vars(keras.layers.Layer()))


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)[:100]
    if isinstance(value, dict):
        return list(value.values())[:100]
    return [value]


def _is_traced(value: Any) -> bool:
    if value is None or isinstance(value, keras.Variable | keras.KerasTensor):
        return False
    return bool(keras.ops.is_tensor(value)) and current().is_traced(value)
