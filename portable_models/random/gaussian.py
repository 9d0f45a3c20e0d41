"""Standard normal numbers from random words, in integers, so that no rounding can differ.

The inverse of the normal distribution function is tabulated and interpolated. A word gives a sign and
an odd integer v below 2**31, the probability v / 2**32 of a tail. As a float32, v shows its octave in the
exponent and its place within the octave in the mantissa, so a number's leading bits are a row of a table
with 512 rows to the octave (fine where the tail is thin), and the remaining bits say how far the point
lies between two rows. Everything is exact in int32: compilers that fuse a multiplication with an
addition, or approximate a logarithm in their own way, find nothing to change.

The numbers are multiples of 2**-21, at most 6.24 in absolute value; the interpolation is off by less than one
and a half such steps, and the shares of the table's intervals are exact.
"""

from __future__ import annotations

import hashlib
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from portable_models.random.threefry import multiply_high
from portable_models.random.words import BACKEND

FRACTION_BITS: Final = 21
"""A normal number z is held as the integer ``z * 2**21``, which has 24 bits: exact as a float32."""
_ROW_BITS: Final = 9
_BETWEEN_BITS: Final = 23 - _ROW_BITS
_FIRST_ROW: Final = 127 << _ROW_BITS
_OCTAVES: Final = 31
_TABLE_SHA256: Final = "6f6d4cf170bc2a487d4f9f6aa0507d3c403c21f3ca9127f89553b4e494940ef8"

_TAIL_AT_TWO: Final = 97_711_073
"""Smallest v whose normal number is not above 2: ``ceil(Phi(-2) * 2**32)``."""


def _table() -> NDArray[np.int32]:
    """The inverse of the upper tail at ``2**octave * (1 + row / 512) / 2**32``, times ``2**21``.

    Raises:
        RuntimeError: this machine's logarithm rounds otherwise than the table's author's, so the numbers
            would not be those of other machines.
    """
    inverse = NormalDist().inv_cdf
    steps = range(_OCTAVES << _ROW_BITS)
    rows = 1 << _ROW_BITS
    tails = ((rows + step % rows) / rows * 2.0 ** (step // rows - 32) for step in steps)
    # Two more rows for a tail of one half, where rounding v up to 2**31 leads.
    values = [round(-inverse(tail) * 2**FRACTION_BITS) for tail in tails] + [0, 0]
    found = np.array(values, "<i4")
    digest = hashlib.sha256(found.tobytes()).hexdigest()
    if digest != _TABLE_SHA256:
        raise RuntimeError(
            f"the table of normal numbers has SHA-256 {digest}, expected {_TABLE_SHA256}: this Python "
            "computes statistics.NormalDist otherwise; please report it with the platform's name"
        )
    return found.astype(np.int32)


_NODES: Final = _table()
"""Made when the module is imported (20 ms), so that no code that is being compiled has to make it."""


def normal_units(xp: Any, words: Any) -> Any:
    """Standard normal numbers, one for each word.

    Args:
        xp: ``keras.ops``, or anything with its names.
        words: int32 words of shape ``(n,)``.

    Returns:
        int32 of shape ``(n,)``: multiples of ``2**-21``.
    """
    return _with_sign(xp, words, _tail_units(xp, xp.bitwise_and(words, 0x7FFFFFFF)))


def truncated_normal_units(xp: Any, words: Any) -> Any:
    """Like :func:`normal_units`, of the normal distribution cut off at -2 and 2."""
    inside = multiply_high(xp, xp.left_shift(words, 1), (1 << 31) - _TAIL_AT_TWO)
    units = _tail_units(xp, xp.add(inside, _TAIL_AT_TWO))
    return _with_sign(xp, words, xp.minimum(units, 2 << FRACTION_BITS))


def _with_sign(xp: Any, words: Any, units: Any) -> Any:
    return xp.where(xp.less(words, 0), xp.negative(units), units)


def _tail_units(xp: Any, tails: Any) -> Any:
    """The number whose upper tail is ``(tails | 1) / 2**32``, for tails of 0 to ``2**31 - 1``."""
    odd = xp.cast(xp.bitwise_or(tails, 1), "float32")
    if isinstance(odd, np.ndarray):
        nodes, bits = _NODES, odd.view(np.int32)
    else:
        nodes, bits = BACKEND.constant(_NODES), BACKEND.bits(odd)
    row = xp.subtract(xp.right_shift(bits, _BETWEEN_BITS), _FIRST_ROW)
    between = xp.bitwise_and(bits, (1 << _BETWEEN_BITS) - 1)
    start = xp.take(nodes, row)
    fall = xp.multiply(xp.subtract(start, xp.take(nodes, xp.add(row, 1))), between)
    return xp.subtract(start, xp.right_shift(xp.add(fall, 1 << (_BETWEEN_BITS - 1)), _BETWEEN_BITS))
