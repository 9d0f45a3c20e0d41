"""Classes of Keras that not every supported release has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import keras

Value = TypeVar("Value")


def by_layer(values: Mapping[str, Value]) -> dict[type[Any], Value]:
    """Key values by the layer classes of these names.

    A layer that the installed Keras does not have is left out: no model can hold one.

    Args:
        values: by the layer's name in ``keras.layers``.
    """
    return {
        getattr(keras.layers, name): value
        for name, value in values.items()
        if hasattr(keras.layers, name)
    }
