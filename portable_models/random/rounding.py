"""Floats that come out the same everywhere: one rounding at a time, and none that a compiler can move.

Compilers change float arithmetic. Seen with XLA on CPU: ``a * b + c`` becomes a fused multiplication and
addition, ``(a * c1) * c2`` becomes ``a * (c1 * c2)``, and a division by a constant a multiplication by its
inverse; each moves the last bit of 10 to 30 % of the results. So a float is made of an exact integer by one
multiplication with a constant that Python has rounded, and bounds that change nothing stand between it and
whatever comes next.
"""

from __future__ import annotations

import math
from typing import Any, Final

import keras
import numpy as np

from portable_models.random.words import arithmetic

PRECISION: Final = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}
"""Significant bits of each float type."""


def number(value: Any) -> float | None:
    """``value`` as a float where it is a number known now, None where it is a tensor."""
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, np.number) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return float(value)
    return None


def rounded(value: float, dtype: str = "float32") -> float:
    """The nearest number of type ``dtype``, ties to even (subnormal numbers apart)."""
    mantissa, exponent = math.frexp(value)
    bits = PRECISION[dtype]
    return math.ldexp(round(math.ldexp(mantissa, bits)), exponent - bits)


def below(value: float, dtype: str) -> float:
    """The largest number of type ``dtype`` below ``value`` (subnormal numbers apart)."""
    nearest = rounded(value, dtype)
    if nearest < value:
        return nearest
    mantissa, exponent = math.frexp(nearest)
    if mantissa == 0.0:
        return -(2.0**-126)
    # Below a power of two the numbers lie twice as close.
    spacing = exponent - PRECISION[dtype] - (mantissa == 0.5)
    return nearest - math.ldexp(1.0, spacing)


def scaled(integers: Any, factor: float) -> Any:
    """``integers * factor`` in float32, rounded once, and safe from what is computed with it afterwards.

    Args:
        integers: int32 array below ``2**24`` in absolute value, hence exact in float32.
        factor: a number; rounded to float32 first.
    """
    xp = arithmetic(integers)
    factor = rounded(factor)
    product = xp.multiply(xp.cast(integers, "float32"), factor)
    return product if xp is not keras.ops else kept_apart(product, abs(factor) * 2**24)


def kept_apart(product: Any, bound: Any) -> Any:
    """``product``, which lies within ``bound`` of zero, so that no compiler fuses it with what follows.

    Both sides are needed: a compiler that knows the sign of the product drops one of them.
    """
    return keras.ops.minimum(keras.ops.maximum(product, -bound), bound)


def float_type(dtype: Any, function: str) -> str:
    """The name of a float type; None means Keras's default.

    Raises:
        ValueError: ``dtype`` is no float type.
    """
    name: str = keras.backend.standardize_dtype(dtype or keras.config.floatx())
    if name not in PRECISION:
        raise ValueError(
            f"keras.random.{function} draws floats: dtype must be one of {', '.join(PRECISION)}; got {name}"
        )
    return name


def as_tensor(array: Any, shape: Any, dtype: str) -> Any:
    """A flat NumPy array or tensor as a tensor of this shape and dtype."""
    if not isinstance(array, np.ndarray):
        return keras.ops.cast(keras.ops.reshape(array, shape), dtype)
    tensor = keras.ops.convert_to_tensor(array.reshape(shape))
    return tensor if array.dtype.name == dtype else keras.ops.cast(tensor, dtype)
