"""Samples: what a data set hands to a pipeline, dense or made dense only batch by batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Structure: TypeAlias = Any
"""An array, or a tuple, list or dict of structures."""
Indices: TypeAlias = NDArray[np.int64]


class Batch(NamedTuple):
    """Dense rows: inputs ``x``, targets ``y`` and, if there are any, weights of the samples."""

    x: Structure
    y: Structure = None
    sample_weight: Structure = None


class Samples(Protocol):
    """A sequence of (x, y) rows that can be read by index."""

    def __len__(self) -> int:
        """The number of rows."""

    def take(self, indices: Indices) -> Batch:
        """The rows at ``indices``, dense, in that order."""

    def subset(self, indices: Indices) -> Samples:
        """The rows at ``indices`` as samples of their own."""

    def digest(self) -> str:
        """SHA-256 over the dtype, shape and bytes of everything held, as hexadecimal."""


def arrays_of(structure: Structure) -> list[Array]:
    """The arrays of a structure, dicts by sorted key; of None, no array."""
    if structure is None:
        return []
    if isinstance(structure, Mapping):
        return [array for key in sorted(structure) for array in arrays_of(structure[key])]
    if isinstance(structure, (tuple, list)):
        return [array for part in structure for array in arrays_of(part)]
    return [structure]


def map_arrays(function: Callable[[Array], Array], structure: Structure) -> Structure:
    """The structure with ``function`` applied to each of its arrays."""
    if structure is None:
        return None
    if isinstance(structure, Mapping):
        return {key: map_arrays(function, part) for key, part in structure.items()}
    if isinstance(structure, tuple):
        return tuple(map_arrays(function, part) for part in structure)
    if isinstance(structure, list):
        return [map_arrays(function, part) for part in structure]
    return function(structure)


def digest_arrays(*arrays: Array) -> str:
    """SHA-256 over the dtype, shape and bytes of arrays, as hexadecimal.

    Bytes are taken little-endian and in C order, so that the digest is the same on every machine.
    """
    state = hashlib.sha256()
    for array in arrays:
        contiguous = np.ascontiguousarray(array)
        portable = contiguous.astype(contiguous.dtype.newbyteorder("<"), copy=False)
        state.update(f"{portable.dtype.str}{portable.shape}".encode())
        state.update(portable.view(np.uint8).data if portable.size else b"")
    return state.hexdigest()


@dataclass(frozen=True, eq=False)
class ArraySamples:
    """Samples that are dense arrays already.

    Args:
        x: inputs, shape ``(n, ...)``; a tuple, list or dict of such arrays for a model with several inputs.
        y: targets, shape ``(n, ...)``; a tuple, list or dict for several outputs; None for a model that
            learns from its inputs alone.
        sample_weight: one float per sample, shape ``(n,)``, a structure like ``y``, or None.

    Raises:
        ValueError: the arrays do not all have the same number of rows.
    """

    x: Structure
    y: Structure = None
    sample_weight: Structure = None

    def __post_init__(self) -> None:
        lengths = {len(array) for array in self._arrays()}
        if len(lengths) != 1:
            raise ValueError(
                f"all arrays of a data set must have the same number of rows; got {sorted(lengths)}"
            )

    def _arrays(self) -> list[Array]:
        return arrays_of((self.x, self.y, self.sample_weight))

    def __len__(self) -> int:
        return len(arrays_of(self.x)[0])

    def take(self, indices: Indices) -> Batch:
        """See ``Samples.take``."""
        return Batch(
            *map_arrays(lambda array: array[indices], (self.x, self.y, self.sample_weight))
        )

    def subset(self, indices: Indices) -> ArraySamples:
        """See ``Samples.subset``."""
        return ArraySamples(*self.take(indices))

    def digest(self) -> str:
        """See ``Samples.digest``."""
        return digest_arrays(*self._arrays())


@dataclass(frozen=True, eq=False)
class MultiHotSamples:
    """Bags of words: each row a set of word ids, made a multi-hot vector only when it is taken.

    Args:
        ids: the *different* word ids of all rows, one row after the other, int32, shape ``(total,)``.
        offsets: where each row starts in ``ids``, and the end, int64, shape ``(n + 1,)``.
        dimension: length of a multi-hot vector; every id is below it.
        y: targets, shape ``(n,)``.
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    dimension: int
    y: Array

    def __len__(self) -> int:
        return len(self.y)

    def take(self, indices: Indices) -> Batch:
        """The rows at ``indices`` as float32 of shape ``(len(indices), dimension)``, with targets."""
        lengths, flat = self._flat(indices)
        dense = np.zeros((len(indices), self.dimension), np.float32)
        dense[np.repeat(np.arange(len(indices)), lengths), self.ids[flat]] = 1.0
        return Batch(dense, self.y[indices])

    def subset(self, indices: Indices) -> MultiHotSamples:
        """See ``Samples.subset``."""
        lengths, flat = self._flat(indices)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return MultiHotSamples(self.ids[flat], offsets, self.dimension, self.y[indices])

    def digest(self) -> str:
        """See ``Samples.digest``."""
        return digest_arrays(self.ids, self.offsets, np.array([self.dimension]), self.y)

    def _flat(self, indices: Indices) -> tuple[Indices, Indices]:
        """Lengths of the rows, and the positions in ``ids`` of all their words."""
        starts = self.offsets[indices]
        lengths = self.offsets[np.asarray(indices) + 1] - starts
        ends = np.cumsum(lengths)
        within = np.arange(lengths.sum()) - np.repeat(ends - lengths, lengths)
        return lengths, np.repeat(starts, lengths) + within


@dataclass(frozen=True, eq=False)
class DataSet:
    """A named data set, cut into training and test samples.

    Args:
        name: ``"imdb"``, ``"boston"`` or a user's name.
        kind: ``"sample"``, ``"full"`` or ``"path"``: how it was asked for.
        train: training samples.
        test: test samples.
        description: one line that says what it is and where it came from; a synthetic corpus says so here.
        synthetic: True where the samples were drawn from a model rather than collected.
    """

    name: str
    kind: str
    train: Samples
    test: Samples
    description: str
    synthetic: bool = False

    def digest(self) -> str:
        """SHA-256 over the digests of both parts."""
        return hashlib.sha256((self.train.digest() + self.test.digest()).encode()).hexdigest()
