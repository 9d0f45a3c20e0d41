"""Samples as arrays that a compiled program reads by row, on the device, in any order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from portable_models._backend.program import Gather, Orders
from portable_models.data.pipelines.pipeline import weighted
from portable_models.data.samples import (
    ArraySamples,
    Batch,
    Indices,
    MultiHotSamples,
    Samples,
    arrays_of,
    map_arrays,
)


@dataclass(frozen=True)
class Rows:
    """Arrays, and how a batch is made of them inside compiled code.

    Args:
        arrays: a structure of NumPy arrays.
        gather: ``(tensors, places) -> (x, y, sample_weight)`` in ``keras.ops``; the weight is None
            where there is none.
        count: number of rows.
        kind: rows of the same kind are gathered alike, so one program can read them.
    """

    arrays: Any
    gather: Gather
    count: int
    kind: tuple[Any, ...]

    def width(self, count: int) -> int:
        """How many places a batch of so many rows has."""
        return count

    def places(self, batch: Indices) -> Orders:
        """Where ``gather`` finds the rows of a batch, int32: here the rows themselves."""
        return batch.astype(np.int32)

    def pass_width(self, count: int, batch_size: int) -> int:
        """How many places a pass through so many rows has."""
        whole, rest = divmod(count, batch_size)
        return (whole * self.width(batch_size) if whole else 0) + (self.width(rest) if rest else 0)

    def order(self, rows: Indices, batch_size: int) -> Orders:
        """The places of one pass through the rows, batch after batch."""
        return self.places(rows)

    def rows_at_once(self, batch_size: int, rows: int) -> int:
        """How many rows to read at once where small batches may be read together, about ``rows``."""
        return batch_size * max(1, rows // batch_size)

    @property
    def reader(self) -> Callable[[Any, Any], Any]:
        """Gives what ``gather`` does as tensors, of which :meth:`shown` makes a batch."""
        return self.gather

    def shown(self, read: Any) -> Any:
        """The batch that was read, as arrays."""
        return read


def rows_of(samples: Samples, class_weight: Mapping[int, float] | None = None) -> Rows | None:
    """The samples as rows on the device; None for samples that can only be read batch by batch.

    Class weights are multiplied into the sample weights.

    Raises:
        ValueError: class weights for several outputs, or that lack a class.
    """
    if isinstance(samples, MultiHotSamples):
        return _bags(samples, class_weight)
    if not isinstance(samples, ArraySamples):
        return None
    batch = weighted(Batch(samples.x, samples.y, samples.sample_weight), class_weight)
    if any(np.asarray(array).dtype.kind not in "biuf" for array in arrays_of(tuple(batch))):
        return None
    names = ("x", "y", "w")
    parts = {name: part for name, part in zip(names, batch, strict=True) if part is not None}
    structure = str(keras.tree.map_structure(lambda _: 0, parts))
    return Rows(map_arrays(as_keras, parts), _gather_arrays, len(samples), ("arrays", structure))


def as_keras(array: Any) -> Any:
    """Floating-point numbers of Keras's own precision, as its data adapters give them."""
    array = np.asarray(array)
    return array.astype(keras.config.floatx()) if array.dtype.kind == "f" else array


def first_row(samples: Samples, class_weight: Mapping[int, float] | None = None) -> Any:
    """One row as a batch of arrays, for Keras to build loss, metrics and optimizer by its shape."""
    one = weighted(samples.take(np.arange(1)), class_weight)
    return map_arrays(as_keras, tuple(one))


def first_batch(
    samples: Samples, batch_size: int, class_weight: Mapping[int, float] | None = None
) -> Any:
    """The first rows as ``Model.fit`` hands them to a step, as arrays."""
    batch = weighted(samples.take(np.arange(min(batch_size, len(samples)))), class_weight)
    return keras.utils.pack_x_y_sample_weight(*map_arrays(as_keras, tuple(batch)))


def _gather_arrays(tensors: Any, indices: Any) -> tuple[Any, Any, Any]:
    taken = keras.tree.map_structure(
        lambda tensor: keras.ops.take(tensor, indices, axis=0), tensors
    )
    return taken["x"], taken.get("y"), taken.get("w")


def _bags(samples: MultiHotSamples, class_weight: Mapping[int, float] | None) -> Rows:
    """Bags of words as a matrix of word ids, padded with ``dimension``; dense only batch by batch.

    25,000 reviews of 10,000 words take 59 MB in this way, and 1 GB as a dense matrix.
    """
    lengths = np.diff(samples.offsets)
    width = int(lengths.max(initial=0))
    ids = np.full((len(samples), width), samples.dimension, np.int32)
    ids[np.arange(width) < lengths[:, None]] = samples.ids
    # The batch holds no inputs here: only the targets decide the weights.
    _, y, weight = weighted(Batch(ids, samples.y), class_weight)
    parts = {"ids": ids, "y": as_keras(y)} | ({} if weight is None else {"w": weight})
    dimension = samples.dimension

    def gather(tensors: Any, indices: Any) -> tuple[Any, Any, Any]:
        ops = keras.ops
        taken = {name: ops.take(tensor, indices, axis=0) for name, tensor in tensors.items()}
        ids = taken["ids"]
        # A tensor where TensorFlow traces one step for batches of any size.
        count = ops.shape(ids)[0]
        row = ops.zeros_like(ids) + ops.reshape(ops.arange(count, dtype="int32"), (-1, 1))
        places = ops.reshape(ops.stack([row, ids], axis=-1), (-1, 2))
        ones = ops.ones_like(ops.reshape(ids, (-1,)), dtype="float32")
        zeros = ops.zeros((count, dimension + 1), dtype="float32")
        dense = ops.scatter_update(zeros, places, ones)
        return dense[:, :dimension], taken["y"], taken.get("w")

    return Rows(parts, gather, len(samples), ("bags", width, dimension))
