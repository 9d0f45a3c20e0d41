"""Tensors in the arguments and results of a call, as arrays and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from portable_models._keras.masks import copy_mask
from portable_models.training.states import readable

Array = NDArray[Any]

SMALL_WHOLE = 8
"""Whole numbers up to this, the bounds of activations among them, are exact wherever they come from a model's
constants. A larger one may be an offset, under which the model is badly conditioned: it is moved."""


def is_tensor(leaf: Any) -> bool:
    """Whether a leaf is a tensor with values; variables count by their value."""
    return bool(keras.ops.is_tensor(leaf)) and not isinstance(leaf, keras.KerasTensor)


def tensors_of(structure: Any) -> list[Any]:
    """The tensors among the leaves of a structure, in order."""
    return [leaf for leaf in keras.tree.flatten(structure) if is_tensor(leaf)]


def arrays_of(structure: Any) -> list[Array]:
    """The same as NumPy arrays."""
    return [readable(keras.ops.convert_to_numpy(leaf)) for leaf in tensors_of(structure)]


def replaced(structure: Any, change: Callable[[int, Any], Any]) -> Any:
    """A structure with each tensor replaced by ``change(position, tensor)``, keeping its mask."""
    position = -1

    def one(leaf: Any) -> Any:
        nonlocal position
        if not is_tensor(leaf):
            return leaf
        position += 1
        return copy_mask(leaf, change(position, leaf))

    return keras.tree.map_structure(one, structure)


def like(array: Array, tensor: Any) -> Any:
    """An array as a tensor of this tensor's type."""
    name = keras.backend.standardize_dtype(tensor.dtype)
    return keras.ops.convert_to_tensor(array, dtype=name)


def is_float(tensor: Any) -> bool:
    """Whether a tensor holds floating-point numbers."""
    return bool(keras.backend.is_float_dtype(keras.backend.standardize_dtype(tensor.dtype)))


def float_positions(tensors: Sequence[Any]) -> list[int]:
    """Which of some tensors can be differentiated by."""
    return [place for place, tensor in enumerate(tensors) if is_float(tensor)]


def ones_of_unit(array: Array, rng: np.random.Generator, *, whole: bool = True) -> Array:
    """An array with every number moved by one unit in the last place of float32, up or down.

    Args:
        array: the numbers.
        rng: draws the directions.
        whole: move small whole numbers too, but for 0, which has no last place.
    """
    if array.dtype.kind != "f":
        return array
    narrow = array.astype(np.float32)
    towards = np.where(rng.random(array.shape) < 0.5, -np.inf, np.inf).astype(np.float32)
    keep = narrow == 0
    if not whole:
        keep |= (narrow == array) & (narrow == np.round(narrow)) & (np.abs(narrow) <= SMALL_WHOLE)
    return np.where(keep, narrow, np.nextafter(narrow, towards)).astype(np.float32)


def tied(before: Sequence[Array], after: Sequence[Array]) -> list[Array]:
    """Moved arrays, with the same numbers in all of them wherever they were the same before.

    Two inputs that are equal in float64 are equal by what the model computes, as two weights that begin
    alike: rounding does not part them.

    Args:
        before: inputs of one call, as the judge has them.
        after: the same, moved.
    """
    found: list[Array] = []
    for place, (old, new) in enumerate(zip(before, after, strict=True)):
        for other, known in zip(before[:place], found[:place], strict=True):
            if other.shape == old.shape and other.dtype == old.dtype:
                new = np.where(old == other, known, new).astype(new.dtype)
        found.append(new)
    return found
