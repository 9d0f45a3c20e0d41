"""Digests of what a compiled program reads: its batches, gathered on the device as it gathers them."""

from __future__ import annotations

from typing import Any

import keras

from portable_models._backend import current
from portable_models.data.samples import Indices
from portable_models.training.probe import batch_digest
from portable_models.training.programs.rows import Rows

GATHERED_ROWS = 1024
"""Rows that are read from the device at once, about: many small batches at_once."""


def read_digests(rows: Rows, tensors: Any, order: Indices, batch_size: int) -> list[str]:
    """SHA-256 of every batch of a pass through rows.

    Args:
        rows: how they are read.
        tensors: their arrays on the device.
        order: the rows in the order of the pass.
        batch_size: rows in a batch.
    """
    at_once = rows.rows_at_once(batch_size, GATHERED_ROWS)
    read = current().in_thread(rows.reader)
    digests = []
    for start in range(0, len(order), at_once):
        places = keras.ops.convert_to_tensor(rows.places(order[start : start + at_once]))
        batch = keras.tree.flatten(rows.shown(read(tensors, places)))
        parts = [part for part in batch if part is not None]
        if at_once == batch_size:
            digests.append(batch_digest(parts))
            continue
        arrays = [keras.ops.convert_to_numpy(part) for part in parts]
        digests += [
            batch_digest([array[first : first + batch_size] for array in arrays])
            for first in range(0, len(arrays[0]), batch_size)
        ]
    return digests
