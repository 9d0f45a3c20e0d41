"""IMDB film reviews as bags of words: the real ones, or a synthetic corpus like them.

The real ones are the Large Movie Review Dataset (Maas et al., "Learning Word Vectors for Sentiment
Analysis", ACL 2011) in the file that ``keras.datasets.imdb`` uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from portable_models.data.archive import read_archive
from portable_models.data.parsed import Arrays, Parsed, parsed_once
from portable_models.data.samples import Array, DataSet, MultiHotSamples
from portable_models.data.sources import (
    FILES,
    FULL,
    SAMPLE,
    WORD_INDEX,
    DataError,
    Source,
    download,
    find,
    keras_cache,
    kind_of,
)
from portable_models.data.synthetic import SyntheticReviews, synthetic_reviews
from portable_models.data.vectorise import WordSequences, bag_of_words
from portable_models.data.words import load_word_index

_SEED: Final = 113
#: Ids 0 to 3 stand for no word, so fewer would leave none.
_LEAST_WORDS: Final = 5
_PARTS: Final = ("train", "test")
_NAMES: Final = ("x_train", "y_train", "x_test", "y_test")
_FORM: Final = "3"
"""Raised whenever other arrays are made of the same file."""


@dataclass(frozen=True, eq=False)
class ReviewDataSet(DataSet):
    """Reviews as bags of words, with what it takes to read one.

    Args:
        train_sequences: the training reviews as word ids in their order, row for row with ``train``.
        test_sequences: the test reviews, likewise.
        word_index: rank of each word, for :func:`~portable_models.data.decode_review`; None where no
            ``imdb_word_index.json`` lies beside the archive.
    """

    train_sequences: WordSequences = field(kw_only=True)
    test_sequences: WordSequences = field(kw_only=True)
    word_index: Mapping[str, int] | None = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class _Part:
    """Reviews as word ranks, int64, and labels, in the order of their source."""

    reviews: WordSequences
    labels: Array


def load_imdb(
    source: Source = SAMPLE, num_words: int = 10_000, trust: bool = False
) -> ReviewDataSet:
    """Film reviews and whether they are positive.

    Shuffled and numbered as ``keras.datasets.imdb.load_data(num_words=num_words)`` does: seed 113, start
    token 1, unknown word 2, ranks moved up by 3.

    Args:
        source: ``"sample"`` is a synthetic corpus made on the fly; ``"full"`` or a path reads ``imdb.npz``
            (arrays ``x_train``, ``y_train``, ``x_test``, ``y_test``) and ``imdb_word_index.json`` beside it.
        num_words: length of a multi-hot vector; rarer words become the unknown word.
        trust: unpickle reviews from a file whose SHA-256 is not a known one.

    Returns:
        ``x`` multi-hot float32 of shape ``(n, num_words)``, ``y`` float32 of shape ``(n,)``, 0 or 1.

    Raises:
        DataError: the file is missing, damaged, not trusted or of another content.
        ValueError: ``num_words`` leaves no word.
    """
    if num_words < _LEAST_WORDS:
        raise ValueError(f"num_words must be at least {_LEAST_WORDS}, got {num_words}")
    words: Mapping[str, int] | None
    if kind_of(source) == SAMPLE:
        corpus = synthetic_reviews()
        arrays = _arrays(_synthetic_parts(corpus), num_words)
        words = corpus.word_index
        origin = "synthetic film reviews, drawn from a model and written by nobody"
    else:
        path = find("imdb", source)

        def parse() -> Parsed:
            archive = read_archive(path, _NAMES, trust=trust)
            parts = (
                _part(path, part, archive.array(f"x_{part}"), archive.array(f"y_{part}"))
                for part in _PARTS
            )
            return Parsed(_arrays(parts, num_words), archive.identity)

        form = f"{num_words}-words-{_FORM}"
        parsed = parsed_once(path, form, parse, lambda kept: _are_reviews(kept, num_words))
        arrays = parsed.arrays
        words = _word_index(path, source)
        origin = f"Large Movie Review Dataset ({parsed.identity})"
    train, test = (_samples(arrays, part, num_words) for part in _PARTS)
    return ReviewDataSet(
        name="imdb",
        kind=kind_of(source),
        train=train,
        test=test,
        description=f"{origin}: {len(train):,} training and {len(test):,} test reviews, "
        f"{num_words:,} words",
        synthetic=kind_of(source) == SAMPLE,
        train_sequences=_sequences(arrays, "train"),
        test_sequences=_sequences(arrays, "test"),
        word_index=words,
    )


def _narrow(num_words: int) -> np.dtype[Any]:
    """The smallest type for word ids: what is kept is read whole, and int64 is four times as much."""
    return np.min_scalar_type(num_words - 1)


def _arrays(parts: Iterable[_Part], num_words: int) -> Arrays:
    """Both parts as flat arrays: bags of words, and the reviews word by word."""
    narrow = _narrow(num_words)
    generator = np.random.RandomState(_SEED)
    arrays: dict[str, Array] = {}
    each = iter(parts)
    for name in _PARTS:
        samples, sequences = _prepared(next(each), generator, num_words)
        arrays |= {
            f"{name}_ids": samples.ids.astype(narrow),
            f"{name}_offsets": samples.offsets,
            f"{name}_y": np.asarray(samples.y),
            f"{name}_words": sequences.ids.astype(narrow),
            f"{name}_word_offsets": sequences.offsets,
        }
    return arrays


def _are_reviews(arrays: Arrays, num_words: int) -> bool:
    """Whether arrays can be what :func:`_arrays` made, so that nothing later reads beside them."""
    kinds = {name: (array.dtype.str[1:], array.ndim) for name, array in arrays.items()}
    ids = (_narrow(num_words).str[1:], 1)
    places = ("i8", 1)
    parts = {"ids": ids, "offsets": places, "words": ids, "word_offsets": places, "y": ("f4", 1)}
    if kinds != {f"{name}_{part}": kind for name in _PARTS for part, kind in parts.items()}:
        return False
    return all(
        len(offsets) > 1
        and offsets[0] == 0
        and offsets[-1] == len(ids)
        and bool((offsets[1:] >= offsets[:-1]).all())
        and (not len(ids) or 0 <= ids.min() <= ids.max() < num_words)
        for ids, offsets in (
            (arrays[f"{name}_{kind}s"], arrays[f"{name}_{start}offsets"])
            for name in _PARTS
            for kind, start in (("id", ""), ("word", "word_"))
        )
    ) and all(len(arrays[f"{name}_y"]) == len(arrays[f"{name}_offsets"]) - 1 for name in _PARTS)


def _samples(arrays: Arrays, part: str, num_words: int) -> MultiHotSamples:
    ids = arrays[f"{part}_ids"].astype(np.int32)
    return MultiHotSamples(ids, arrays[f"{part}_offsets"], num_words, arrays[f"{part}_y"])


def _sequences(arrays: Arrays, part: str) -> WordSequences:
    return WordSequences(arrays[f"{part}_words"], arrays[f"{part}_word_offsets"])


def _synthetic_parts(corpus: SyntheticReviews) -> tuple[_Part, ...]:
    return _Part(corpus.train, corpus.train_labels), _Part(corpus.test, corpus.test_labels)


def _prepared(
    part: _Part, generator: np.random.RandomState, num_words: int
) -> tuple[MultiHotSamples, WordSequences]:
    order = np.arange(len(part.reviews))
    generator.shuffle(order)  # the same generator shuffles the training and then the test reviews
    sequences = part.reviews.take(order).keras_ids(num_words)
    return bag_of_words(sequences, part.labels[order].astype(np.float32), num_words), sequences


def _part(path: Path, part: str, reviews: Array, labels: Array) -> _Part:
    if reviews.ndim not in (1, 2) or labels.ndim != 1 or len(reviews) != len(labels):
        raise DataError(
            f"{path}: expected as many reviews as labels, got x_{part} of shape {reviews.shape} "
            f"and y_{part} of shape {labels.shape}"
        )
    if not len(labels):
        raise DataError(f"{path}: x_{part} holds no reviews")
    if labels.dtype.kind not in "biuf" or not np.isin(labels, (0, 1)).all():
        raise DataError(f"{path}: y_{part} must hold the labels 0 and 1 only")
    try:
        sequences = WordSequences.of(list(reviews))
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: x_{part} must hold lists of word ranks: {error}") from error
    if len(sequences.ids) and sequences.ids.min() < 0:
        raise DataError(f"{path}: x_{part} holds the negative word rank {sequences.ids.min()}")
    return _Part(sequences, labels)


def _word_index(archive: Path, source: Source) -> Mapping[str, int] | None:
    path = archive.parent / WORD_INDEX.file
    if not path.is_file():
        if kind_of(source) != FULL or archive != keras_cache() / FILES["imdb"].file:
            return None
        path = download(WORD_INDEX)
    return load_word_index(path)
