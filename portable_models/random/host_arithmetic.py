"""NumPy under the names of ``keras.ops``, so that a formula is written once for arrays and tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import (
    add,
    argsort,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    greater_equal,
    left_shift,
    less,
    maximum,
    minimum,
    multiply,
    negative,
    right_shift,
    subtract,
    where,
)
from numpy.typing import NDArray

__all__ = [
    "add",
    "argsort",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "cast",
    "greater_equal",
    "left_shift",
    "less",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "right_shift",
    "subtract",
    "take",
    "where",
]


def cast(x: NDArray[Any], dtype: str) -> NDArray[Any]:
    """``x`` converted to ``dtype``."""
    return x.astype(dtype)


def take(x: NDArray[Any], indices: NDArray[Any]) -> NDArray[Any]:
    """Elements of a vector; ``indices`` are known to lie within it."""
    return np.take(x, indices, mode="clip")
