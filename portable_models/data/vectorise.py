"""Word sequences of unequal lengths in two flat arrays, and their multi-hot vectors ("bag of words")."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from portable_models.data.samples import Array, Indices, MultiHotSamples

Ids: TypeAlias = NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class WordSequences:
    """Sequences of word ids, one after the other.

    Args:
        ids: all words of all sequences, integers of any type, shape ``(total,)``.
        offsets: where each sequence starts in ``ids``, and the end, int64, shape ``(n + 1,)``.

    Example:
        >>> reviews = WordSequences.of([[1, 14, 22], [1, 4]])
        >>> len(reviews), reviews[1].tolist()
        (2, [1, 4])
    """

    ids: Ids
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Iterable[Sequence[int] | NDArray[np.integer]]) -> WordSequences:
        """Sequences from lists or arrays of integers.

        Raises:
            TypeError: a row is no list, tuple or 1-D array, or holds something that is no integer of at
                most 64 bits.
        """
        rows = list(rows)
        for row in rows:
            if not isinstance(row, list | tuple | np.ndarray) or getattr(row, "ndim", 1) != 1:
                raise TypeError(
                    f"a sequence of word ids must be a list of integers, got {row!r:.40}"
                )
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        return cls(_flat(rows, int(lengths.sum())), _offsets(lengths))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> Ids:
        """The word ids of one sequence, shape ``(length,)``."""
        position = range(len(self))[index]
        return self.ids[self.offsets[position] : self.offsets[position + 1]]

    def __iter__(self) -> Iterator[Ids]:
        return (self[index] for index in range(len(self)))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of words of each sequence, shape ``(n,)``."""
        return np.diff(self.offsets)

    def take(self, indices: Indices) -> WordSequences:
        """The sequences at ``indices``, in that order."""
        rows = [self[int(index)] for index in indices]
        return WordSequences(
            np.concatenate([np.empty(0, np.int64), *rows]), _offsets(self.lengths[indices])
        )

    def keras_ids(self, num_words: int) -> WordSequences:
        """Ranks (1 for the most frequent word) made ids as ``keras.datasets.imdb`` does.

        Each sequence gets the start token 1, ranks move up by 3, and what is not below ``num_words``
        becomes 2, the unknown word.
        """
        offsets = _offsets(self.lengths + 1)
        words = np.ones(offsets[-1], np.bool_)
        words[offsets[:-1]] = False
        ids = np.full(offsets[-1], _START)
        ids[words] = self.ids + _INDEX_FROM
        ids[ids >= num_words] = _UNKNOWN
        return WordSequences(ids, offsets)


_START, _UNKNOWN, _INDEX_FROM = 1, 2, 3


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _flat(rows: Sequence[Sequence[int] | NDArray[np.integer]], total: int) -> Ids:
    """All ids in one array; an empty one has no type that could be wrong."""
    if not total:
        return np.empty(0, np.int64)
    flat: Array
    if all(isinstance(row, np.ndarray) for row in rows):
        flat = np.concatenate([row for row in rows if len(row)])
    else:
        whole_numbers = array("q")
        try:
            for row in rows:
                if len(row) and isinstance(row[0], bool):
                    raise TypeError("truth values are none")
                whole_numbers.fromlist(row if isinstance(row, list) else list(row))
        except (OverflowError, TypeError) as error:
            raise TypeError(f"word ids must be integers of at most 64 bits: {error}") from error
        flat = np.frombuffer(whole_numbers, np.int64)
    whole = flat.dtype.kind == "i" or (
        flat.dtype.kind == "u" and flat.max() <= np.iinfo(np.int64).max
    )
    if not whole or flat.ndim != 1:
        raise TypeError(f"word ids must be integers of at most 64 bits, got the type {flat.dtype}")
    return flat.astype(np.int64, copy=False)


def bag_of_words(
    sequences: WordSequences | Iterable[Sequence[int]], y: ArrayLike, dimension: int
) -> MultiHotSamples:
    """Which words each sequence holds, without how often or where, made dense only batch by batch.

    Args:
        sequences: ``n`` sequences of word ids from 0 to ``dimension - 1``.
        y: targets, shape ``(n,)``.
        dimension: number of words; the length of a multi-hot vector.

    Raises:
        ValueError: an id is negative or not below ``dimension``, or the lengths differ.
    """
    words = sequences if isinstance(sequences, WordSequences) else WordSequences.of(sequences)
    targets = np.asarray(y)
    if len(targets) != len(words):
        raise ValueError(f"{len(words)} sequences need as many targets, got {len(targets)}")
    if len(words.ids) and not 0 <= words.ids.min() <= words.ids.max() < dimension:
        raise ValueError(
            f"word ids must lie from 0 to {dimension - 1} for {dimension} dimensions; "
            f"they lie from {words.ids.min()} to {words.ids.max()}"
        )
    parts = [_different(words, start, dimension) for start in range(0, max(1, len(words)), _ROWS)]
    ids, counts = (np.concatenate(each) for each in zip(*parts, strict=True))
    return MultiHotSamples(ids, _offsets(counts), dimension, targets)


_ROWS = 1024
"""Rows that are sorted at once: memory that is new costs more than the work."""


def _different(words: WordSequences, start: int, dimension: int) -> tuple[Array, Array]:
    """The different words of some rows, ascending, int32, and how many each row has."""
    offsets = words.offsets[start : start + _ROWS + 1]
    row = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    # One sort of (row, word) as a single number finds the different words of all rows at once.
    pairs = np.sort(row * dimension + words.ids[offsets[0] : offsets[-1]])
    pairs = pairs[np.diff(pairs, prepend=-1) != 0]
    counts = np.bincount(pairs // dimension, minlength=len(offsets) - 1)
    return (pairs % dimension).astype(np.int32), counts


def multi_hot(
    sequences: WordSequences | Iterable[Sequence[int]], dimension: int
) -> NDArray[np.float32]:
    """Dense multi-hot vectors: 1 where the sequence holds the word, else 0.

    Args:
        sequences: ``n`` sequences of word ids from 0 to ``dimension - 1``.
        dimension: length of a vector.

    Returns:
        float32, shape ``(n, dimension)``; 40 kB a review for 10,000 words. :func:`bag_of_words` keeps
        the same vectors in a hundredth of the memory.

    Raises:
        ValueError: an id is negative or not below ``dimension``.

    Example:
        >>> multi_hot([[1, 3, 3], [0]], dimension=4).tolist()
        [[0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]]
    """
    words = sequences if isinstance(sequences, WordSequences) else WordSequences.of(sequences)
    samples = bag_of_words(words, np.zeros(len(words)), dimension)
    dense = samples.take(np.arange(len(words))).x
    assert isinstance(dense, np.ndarray)
    return dense
