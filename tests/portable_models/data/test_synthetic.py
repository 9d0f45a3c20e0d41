"""The synthetic corpus: the same everywhere, called synthetic, and like the real one in what matters."""

import numpy as np
import pytest

from portable_models.data import decode_review, load, load_imdb, synthetic_reviews
from portable_models.data.samples import digest_arrays


@pytest.fixture(scope="module")
def corpus():
    return synthetic_reviews()


def test_the_corpus_is_the_same_everywhere(corpus):
    parts = (corpus.train, corpus.test)
    words = [array for part in parts for array in (part.ids, part.offsets)]
    # Seen on NumPy 1.26.4 and 2.4.6.
    digest = "185e8c125a29fb1e0c834c54d1060fadaf526e2637109b9b667771d78a7ccd01"
    assert digest_arrays(*words, corpus.train_labels, corpus.test_labels) == digest


def test_the_sample_is_the_same_everywhere():
    digest = "680c6fbc1a8a925eebca51b83eaf95534922d8cd5204697ca751d972b4332f62"
    assert load("imdb").digest() == digest


def test_the_sample_says_that_it_is_synthetic():
    data = load("imdb", "sample")
    assert data.synthetic
    assert data.kind == "sample"
    assert data.description.startswith("synthetic film reviews")
    assert (len(data.train), len(data.test), data.train.dimension) == (8000, 3000, 10_000)


def test_a_review_of_the_sample_decodes_to_made_up_words():
    data = load_imdb()
    words = decode_review(data.test_sequences[0], data.word_index).split()
    assert words[0] == "?"
    assert {word.rstrip("0123456789") for word in words} <= {"?", "word", "praise", "blame"}


def test_half_the_reviews_are_positive(corpus):
    assert corpus.train_labels.mean() == corpus.test_labels.mean() == 0.5


def test_lengths_are_like_the_real_ones(corpus):
    lengths = corpus.train.lengths
    # Real reviews: median 174 to 177, 95th percentile 586 to 609, longest 2,315 to 2,493.
    assert 165 < np.median(lengths) < 185
    assert 480 < np.percentile(lengths, 95) < 650
    assert 1300 < lengths.max() < 2800
    assert lengths.min() >= 10


def test_word_frequencies_follow_zipfs_law(corpus):
    counts = np.bincount(corpus.train.ids)[1:].astype(float)
    ranks = np.unique(np.geomspace(20, 5000, 40).astype(int))
    # Sums over a tenth around each rank, so that chance (a few per cent) does not hide the slope.
    sums = [counts[int(r * 0.95) - 1 : int(r * 1.05) + 1].mean() for r in ranks]
    slope = np.polyfit(np.log(ranks + 1), np.log(sums), 1)[0]
    assert abs(slope + 1) < 0.03


def test_words_that_praise_are_more_frequent_in_positive_reviews(corpus):
    positive = np.repeat(corpus.train_labels == 1, corpus.train.lengths)
    sides = {side: np.zeros(16_501, bool) for side in ("praise", "blame")}
    for word, rank in corpus.word_index.items():
        for side, chosen in sides.items():
            chosen[rank] = word.startswith(side)
    share = {side: positive[chosen[corpus.train.ids]].mean() for side, chosen in sides.items()}
    assert share["praise"] > 0.6 > 0.4 > share["blame"]


def test_training_and_test_reviews_differ(corpus):
    assert corpus.train[0].tolist() != corpus.test[0].tolist()


def test_fewer_reviews_can_be_drawn():
    small = synthetic_reviews(training=4, test=2)
    assert (len(small.train), len(small.test)) == (4, 2)
