"""Digests of what Keras is really fed: a model that trains nothing and digests each batch it is handed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np

from portable_models.data.pipelines import Feed
from portable_models.data.samples import Array, Indices, digest_arrays

SPARSE_FROM: Final = 8
"""An array of which at most one number in so many is not zero is digested by those only."""


@dataclass(frozen=True, eq=False)
class SparseArray:
    """A dense array by what is not zero in it.

    Args:
        shape: of the dense array.
        positions: int64 of shape ``(n,)``, ascending, into the flat array.
        values: of shape ``(n,)``; of the dense array's dtype.
    """

    shape: tuple[int, ...]
    positions: Indices
    values: Array

    @property
    def parts(self) -> tuple[Array, ...]:
        """What is digested: itself where it is sparse enough, and the dense array where it is not."""
        size = int(np.prod(self.shape, dtype=np.int64))
        if may_be_sparse(self.shape) and SPARSE_FROM * len(self.positions) <= size:
            return np.asarray(self.shape, np.int64), self.positions, self.values
        dense = np.zeros(size, self.values.dtype)
        dense[self.positions] = self.values
        return (dense.reshape(self.shape),)

    @classmethod
    def of(cls, array: Array) -> SparseArray:
        """A float32 array; a negative zero is not zero."""
        flat = np.ascontiguousarray(array).reshape(-1)
        positions = np.flatnonzero(flat.view(np.int32)).astype(np.int64, copy=False)
        return cls(array.shape, positions, flat[positions])


def may_be_sparse(shape: tuple[int, ...]) -> bool:
    """Whether zeros are looked for at all: only where rows are long."""
    return shape[-1] >= SPARSE_FROM


class BatchProbe(keras.Model):  # type: ignore[misc]  # keras has no complete types
    """Takes batches through Keras's own data adapters, on any backend, and remembers a digest of each."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.compile(run_eagerly=True)

    def call(self, x: Any) -> Any:
        """Nothing is computed."""
        return keras.ops.zeros((1,))

    def test_step(self, *arguments: Any) -> Any:
        """Digest one batch. JAX hands over ``(state, data)``, the other backends ``(data,)``."""
        self.seen.append(batch_digest(arguments[-1]))
        # TensorFlow's loop cannot carry an empty dict of logs.
        logs = {"batches": keras.ops.zeros(())}
        return (logs, arguments[0]) if len(arguments) > 1 else logs


def batch_digest(data: Any) -> str:
    """SHA-256 of one batch, ``(x, y)`` or ``(x, y, sample_weight)``, of tensors or arrays.

    Mostly zeros, as bags of words are, count by what is not zero in them: the same digest whether they come
    dense or as a :class:`SparseArray`.
    """
    leaves = [leaf for leaf in keras.tree.flatten(data) if leaf is not None]
    return digest_arrays(*(part for leaf in leaves for part in _parts(leaf)))


def _parts(leaf: Any) -> tuple[Array, ...]:
    if isinstance(leaf, SparseArray):
        return leaf.parts
    array = _canonical(_array(leaf))
    return SparseArray.of(array).parts if may_be_sparse(array.shape) else (array,)


def _array(leaf: Any) -> Any:
    return leaf if isinstance(leaf, np.ndarray) else keras.ops.convert_to_numpy(leaf)


def _canonical(array: Any) -> Any:
    """Targets of shape (n,) and (n, 1) are one thing to Keras, and float64 is float32 to JAX."""
    flat = np.asarray(array)
    flat = flat.reshape(len(flat), -1) if flat.ndim else flat.reshape(1, 1)
    return flat.astype(np.float32, copy=False)


def batch_digests(feed: Feed) -> list[str]:
    """SHA-256 of every batch that Keras delivers from a feed, in the order of delivery."""
    probe = BatchProbe()
    probe.evaluate(**feed.arguments(), verbose=0)
    return probe.seen


def batches_digest(digests: Iterable[str]) -> str:
    """SHA-256 over the digests of all batches, in order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()
