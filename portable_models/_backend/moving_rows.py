"""Arrays whose rows are moved between the epochs of one ``Model.fit``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def move_rows(
    data: tuple[Any, Any, Any], order: Callable[[], NDArray[np.int64]], batch_size: int
) -> tuple[dict[str, Any], Callable[[], None]]:
    """Arrays as arguments of ``Model.fit``, and what moves their rows; see ``Backend.reordered``."""
    import keras

    held = keras.tree.map_structure(lambda array: None if array is None else array.copy(), data)
    sources, targets = keras.tree.flatten(data), keras.tree.flatten(held)

    def reorder() -> None:
        rows = order()
        for source, target in zip(sources, targets, strict=True):
            if source is not None:
                np.take(source, rows, axis=0, out=target)

    x, y, weight = held
    return {"x": x, "y": y, "sample_weight": weight, "batch_size": batch_size}, reorder
