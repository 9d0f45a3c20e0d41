"""Bags of words train alike in both engines, and are never dense as a whole."""

import keras
import numpy as np
import pytest

from portable_models import Recipe
from portable_models.data import MultiHotSamples

from .study import fit
from .test_engines import BATCH, ROWS, STEP, data, dense, same, train

pytestmark = pytest.mark.usefixtures("any_number_of_steps")


def bags_of_words():
    rng = np.random.default_rng(1)
    bags = [np.flatnonzero(rng.random(6) < 0.4) for _ in range(ROWS)]
    bags[3] = bags[3][:0]  # a review of unknown words only
    offsets = np.concatenate([[0], np.cumsum([len(bag) for bag in bags])])
    return MultiHotSamples(np.concatenate(bags).astype("int32"), offsets, 6, data()[1])


def two_readers():
    """The words go to two layers, so none of them alone takes the input."""
    words = keras.Input((6,))
    sides = [keras.layers.Dense(3, "relu")(words), keras.layers.Dense(3, "tanh")(words)]
    return keras.Model(words, keras.layers.Dense(1, "sigmoid")(keras.layers.Concatenate()(sides)))


@pytest.mark.parametrize("build", [lambda: dense(penalty="l2", activity="l2"), two_readers])
# An optimizer that looks at single entries of the gradient shows more than SGD does.
@pytest.mark.parametrize("optimizer", [STEP, "rmsprop"], ids=["SGD", "RMSprop"])
def test_bags_of_words_are_never_dense_as_a_whole(build, optimizer):
    samples = bags_of_words()
    settings = {"optimizer": optimizer, "class_weight": {0: 0.5, 1: 2.0}}
    same(
        train("keras", build, samples, settings),
        train("compiled", build, samples, settings),
        tolerance=2e-6 if optimizer is STEP else 2e-5,
    )


def test_bags_are_delivered_as_model_fit_has_them():
    recipe = Recipe(loss="mse", batch_size=BATCH)
    found = [
        fit(dense(), bags_of_words(), recipe, engine=engine).digests["batches"]
        for engine in ("keras", "compiled")
    ]
    assert found[0] == found[1]
