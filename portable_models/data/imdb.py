"""IMDB film reviews as bags of words: the real ones, or a synthetic corpus like them.

The real ones are the Large Movie Review Dataset (Maas et al., "Learning Word Vectors for Sentiment
Analysis", ACL 2011) in the file that ``keras.datasets.imdb`` uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from portable_models.data.archive import read_archive
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


@dataclass(frozen=True, eq=False)
class ReviewDataSet(DataSet):
    """Reviews as bags of words, with what it takes to read one.

    Args:
        test_sequences: the test reviews as word ids in their order, row for row with ``test``.
        word_index: rank of each word, for :func:`~portable_models.data.decode_review`; None where no
            ``imdb_word_index.json`` lies beside the archive.
    """

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
        train, test, words = *_synthetic_parts(corpus), corpus.word_index
        origin = "synthetic film reviews, drawn from a model and written by nobody"
    else:
        path = find("imdb", source)
        names = ("x_train", "y_train", "x_test", "y_test")
        archive = read_archive(path, names, trust=trust)
        train, test = (
            _part(path, part, archive.arrays[f"x_{part}"], archive.arrays[f"y_{part}"])
            for part in ("train", "test")
        )
        words = _word_index(path, source)
        origin = f"Large Movie Review Dataset ({archive.identity})"
    generator = np.random.RandomState(_SEED)
    train_samples, _ = _prepared(train, generator, num_words)
    test_samples, test_sequences = _prepared(test, generator, num_words)
    return ReviewDataSet(
        name="imdb",
        kind=kind_of(source),
        train=train_samples,
        test=test_samples,
        description=f"{origin}: {len(train_samples):,} training and {len(test_samples):,} test reviews, "
        f"{num_words:,} words",
        synthetic=kind_of(source) == SAMPLE,
        test_sequences=test_sequences,
        word_index=words,
    )


def _synthetic_parts(corpus: SyntheticReviews) -> tuple[_Part, _Part]:
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
