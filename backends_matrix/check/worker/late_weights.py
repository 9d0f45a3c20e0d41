"""Weights that a model read from a file makes in its first call, after the file's values were given out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from backends_matrix.check.worker.failure import place_of_class
from portable_models._keras.layers import all_layers


def count_weights(model: keras.Model) -> dict[int, int]:
    """The number of variables of every layer, by the layer's identity, itself included."""
    return {id(layer): len(layer.variables) for layer in all_layers(model)}


def late_weights(model: keras.Model, before: Mapping[int, int]) -> dict[str, Any] | None:
    """The innermost layer, not Keras's own, that has made weights since they were counted.

    Args:
        model: after its first call.
        before: what ``count_weights`` gave before it. A layer that was not there then had none.

    Returns:
        ``class``, ``layer`` (its path), ``count`` of new variables, and ``file``, ``line`` and ``package``
        (empty for the user's own) of the class; None where no weights were made, or only Keras's own layers
        know of them.
    """
    grown = [
        layer
        for layer in all_layers(model)
        if id(layer) in before
        and len(layer.variables) > before[id(layer)]
        and not type(layer).__module__.startswith("keras.")
    ]
    if not grown:
        return None
    inner = min(grown, key=lambda layer: len(all_layers(layer)))
    return {
        "layer": inner.path,
        "count": len(inner.variables) - before[id(inner)],
        **place_of_class(type(inner)),
    }
