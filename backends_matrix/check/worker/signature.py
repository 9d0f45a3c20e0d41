"""What a model takes: names, shapes and types, as its own definition says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from portable_models._keras.inputs import build_shapes, input_structure

FREE_SIZES = (7, 5, 9, 6)
"""What free axes get, one after the other: unequal sizes, so that a mixed-up axis shows."""


@dataclass(frozen=True)
class InputSpec:
    """One input.

    Args:
        name: as the model calls it.
        shape: without the batch; None where an axis is free.
        dtype: as the model declares it.
        batch: the batch size that the model insists on, if it does.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    batch: int | None = None

    def sized(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """The shape with its free axes filled in, by position of the axis."""
        return tuple(
            sizes[place % len(sizes)] if axis is None else axis
            for place, axis in enumerate(self.shape)
        )


class UnknownSignatureError(Exception):
    """The model does not say what it takes."""


def signature_of(model: Any) -> Any:
    """A structure of :class:`InputSpec`, as the model is called with it.

    Raises:
        UnknownSignatureError: neither its definition nor what it was built with says so.
    """
    structure = input_structure(model)
    if structure is not None:
        return keras.tree.map_structure(_of_tensor, structure)
    shapes = build_shapes(model)
    if shapes is not None:
        return _of_shapes(shapes)
    raise UnknownSignatureError(
        f"{type(model).__name__} {model.name!r} does not say what it takes; define "
        f"example_inputs(rng, batch) "
        "beside build_model, call the model once in build_model, or give --sample FILE.npz"
    )


def fixed_batch(model: Any) -> int | None:
    """The batch size that a model insists on; None where any will do."""
    structure = input_structure(model)
    if structure is None:
        return None
    specs = keras.tree.flatten(keras.tree.map_structure(_of_tensor, structure))
    return next((spec.batch for spec in specs if spec is not None and spec.batch), None)


def _of_tensor(tensor: Any) -> InputSpec | None:
    if tensor is None:
        return None
    shape = tuple(tensor.shape)
    return InputSpec(
        tensor.name, shape[1:], keras.backend.standardize_dtype(tensor.dtype), shape[0]
    )


def _of_shapes(shapes: Any, name: str = "inputs") -> Any:
    if isinstance(shapes, dict):
        return {key: _of_shapes(value, str(key)) for key, value in shapes.items()}
    if isinstance(shapes, list | tuple) and shapes and isinstance(shapes[0], list | tuple):
        return [_of_shapes(value, f"{name}_{index}") for index, value in enumerate(shapes)]
    return InputSpec(name, tuple(shapes[1:]), keras.config.floatx(), None)
