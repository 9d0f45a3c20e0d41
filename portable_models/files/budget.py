"""A bound on what a model may allocate while it is rebuilt from a file."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterator
from typing import Any

from portable_models.files.errors import FileError

# Weights that a layer makes but does not save (masks, tables) are small.
_FREE_ELEMENTS = 1 << 20


@contextlib.contextmanager
def weight_budget(stored: int) -> Iterator[None]:
    """Let layers create no more elements than a file stores.

    A configuration of a few bytes can declare a layer of terabytes; Keras would allocate it, and
    only then compare it with the weights. Here the shape is counted before anything is allocated.

    Args:
        stored: the number of elements in the file's weights.

    Raises:
        FileError: inside the context, when a layer asks for more.
    """
    import keras

    original = keras.Layer.add_weight
    left = stored + _FREE_ELEMENTS

    @functools.wraps(original)
    def counted(self: Any, shape: Any = None, *args: Any, **kwargs: Any) -> Any:
        nonlocal left
        sizes = (shape,) if isinstance(shape, int) else tuple(shape or ())
        left -= math.prod(int(size) for size in sizes)
        if left < 0:
            raise FileError(
                f"the layer {self.name!r} declares a weight of shape {sizes}, "
                f"but the file's weights hold {stored} elements in all"
            )
        return original(self, shape, *args, **kwargs)

    keras.Layer.add_weight = counted
    try:
        yield
    finally:
        keras.Layer.add_weight = original
