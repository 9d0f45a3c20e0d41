"""Memory that a framework can take over as it is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

ALIGNMENT = 64
"""Bytes to which frameworks align what they compute on; what is not, they copy."""


def aligned(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Zeros that begin at a multiple of :data:`ALIGNMENT`.

    New memory costs more than what is done with it, two milliseconds for each of its megabytes on a virtual
    machine, so a copy less is worth more than it seems.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.zeros(size + ALIGNMENT, np.uint8)
    begin = -room.ctypes.data % ALIGNMENT
    return room[begin : begin + size].view(dtype).reshape(shape)


def is_aligned(array: NDArray[Any]) -> bool:
    """Whether an array's memory is one piece that begins where it should."""
    return array.ctypes.data % ALIGNMENT == 0 and array.flags.c_contiguous
