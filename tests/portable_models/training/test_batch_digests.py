"""Digests of what a program reads are those of what Model.fit is handed, whether it comes dense or not."""

import numpy as np
import pytest

from portable_models import Recipe, models, portable_random
from portable_models.data import MultiHotSamples
from portable_models.data.samples import digest_arrays
from portable_models.training.probe import SPARSE_FROM, SparseArray, batch_digest

from .study import fit

WORDS, REVIEWS = 64, 21


def reviews(most):
    rng = np.random.default_rng(2)
    bags = [rng.permutation(WORDS)[: rng.integers(0, most + 1)] for _ in range(REVIEWS)]
    offsets = np.concatenate([[0], np.cumsum([len(bag) for bag in bags])])
    labels = rng.integers(0, 2, REVIEWS).astype("float32")
    return MultiHotSamples(np.concatenate(bags).astype("int32"), offsets, WORDS, labels)


# Words in any order; batches that are sparse enough, some of them, and none.
@pytest.mark.parametrize("most", [4, 20, WORDS])
def test_both_engines_prove_the_same(most):
    samples = reviews(most)
    recipe = Recipe(optimizer="sgd", loss="binary_crossentropy", epochs=1, batch_size=4)
    found = {}
    for engine in ("keras", "compiled"):
        with portable_random(0):
            model = models.imdb_classifier(dimension=WORDS)
        training = fit(model, samples, recipe, engine=engine)
        assert training.engine == engine
        found[engine] = training.digests["batches"]
    assert found["keras"] == found["compiled"]


def one_hot(at=5, value=1.0, shape=(3, 8)):
    x = np.zeros(shape, np.float32)
    x.flat[at] = value
    return x


def test_a_sparse_array_is_the_dense_one():
    for x in (one_hot(), one_hot(value=np.nan), np.zeros((2, 9), np.float32)):
        assert batch_digest((SparseArray.of(x), np.ones(1))) == batch_digest((x, np.ones(1)))


@pytest.mark.parametrize(
    "other", [one_hot(6), one_hot(value=2.0), one_hot(value=-0.0), one_hot(shape=(2, 12))]
)
def test_every_difference_is_seen(other):
    assert batch_digest((other,)) != batch_digest((one_hot(),))


def test_an_array_of_few_zeros_is_digested_whole():
    x = np.arange(1, 2 * SPARSE_FROM + 1, dtype=np.float32).reshape(2, SPARSE_FROM)
    assert batch_digest((x,)) == batch_digest((SparseArray.of(x),)) == digest_arrays(x)
