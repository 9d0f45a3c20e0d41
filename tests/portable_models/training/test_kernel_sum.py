"""Which layer is given words instead of a dense matrix, and which is not."""

import keras
import numpy as np
import pytest

from portable_models import Recipe, portable_random
from portable_models.data import MultiHotSamples
from portable_models.training.programs.kernel_sum import first_dense

from .study import fit

WORDS = 6


def build():
    with portable_random(0):
        return keras.Sequential([keras.Input((WORDS,)), keras.layers.Dense(1, name="first")])


def samples():
    rng = np.random.default_rng(1)
    bags = [np.flatnonzero(rng.random(WORDS) < 0.4) for _ in range(20)]
    offsets = np.concatenate([[0], np.cumsum([len(bag) for bag in bags])])
    y = rng.random(20).astype("float32")
    return MultiHotSamples(np.concatenate(bags).astype("int32"), offsets, WORDS, y)


def watched(name):
    """A model of whose steps one is a user's own, and sees the input."""
    model = build()
    original = getattr(model, name)

    def looking(*given, **named):
        return original(*given, **named)

    setattr(model, name, looking)
    return model


def test_the_layer_that_alone_takes_the_words():
    assert first_dense(build(), WORDS).name == "first"
    assert first_dense(build(), WORDS + 1) is None


@pytest.mark.parametrize("name", ["compute_loss", "train_step"])
def test_a_model_whose_own_code_sees_the_words_gets_them(name):
    assert first_dense(watched(name), WORDS) is None
    recipe = Recipe(optimizer="sgd", loss="mse", epochs=2, batch_size=4)
    found = [
        fit(model, samples(), recipe, engine=engine).history["loss"]
        for model, engine in ((build(), "keras"), (watched(name), "compiled"))
    ]
    np.testing.assert_allclose(found[1], found[0], rtol=2e-6)


@pytest.mark.parametrize("replica", [1, 2])
def test_a_replica_takes_words_as_well(replica):
    recipe = Recipe(optimizer="sgd", loss="mse", epochs=2, batch_size=4)
    found = [
        fit(build(), samples(), recipe, engine=engine, replica=replica).history["loss"]
        for engine in ("keras", "compiled")
    ]
    np.testing.assert_allclose(found[1], found[0], rtol=2e-6)


@pytest.mark.parametrize("words", [WORDS, 2**15 - 2, 2**15 - 1, 2**15, 2**16 + 3])
def test_vocabularies_of_any_size_are_trained_as_the_dense_matrix(words):
    """Around sizes at which an id needs more bits; the first and the last word are among those that occur."""
    ids = np.array([0, words - 1, 0, 3, words - 1, 3, words - 2], "int32")
    y = np.arange(8, dtype="float32").reshape(4, 2)
    bags = MultiHotSamples(ids, np.array([0, 2, 5, 5, 7]), words, y)
    found = []
    for engine in ("compiled", "keras"):
        with portable_random(0):
            model = keras.Sequential([keras.Input((words,)), keras.layers.Dense(2)])
        before = model.get_weights()[0]
        recipe = Recipe(optimizer="sgd", loss="mse", epochs=2, batch_size=3)
        training = fit(model, bags, recipe, engine=engine)
        assert training.engine == engine
        found.append(model.get_weights())
    # Four steps of float32, whose sums have up to four terms.
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    # The rows of the words that occur, and of no others, have moved.
    moved = np.flatnonzero((found[0][0] != before).any(axis=1))
    np.testing.assert_array_equal(moved, np.unique(ids))


def long_bags(lengths, words=100):
    """Bags of so many words; a block holds 32."""
    rng = np.random.default_rng(3)
    bags = [np.sort(rng.choice(words, length, replace=False)) for length in lengths]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    y = rng.random(len(lengths)).astype("float32")
    return MultiHotSamples(np.concatenate(bags).astype("int32"), offsets, words, y)


@pytest.mark.parametrize(
    "lengths",
    [
        # Around whole blocks; a last batch of one without words.
        [0, 1, 31, 32, 33, 64, 65, 100, 0],
        [0, 0, 0, 0, 70, 3, 0],  # a batch without a word, and the largest after it
        [40, 2, 90, 33],  # one whole batch
        [5, 0],  # less than one
        [0],
    ],
)
def test_held_out_bags_are_those_of_the_dense_matrix(monkeypatch, lengths):
    monkeypatch.setattr("portable_models.training.settings.RECIPE_VALIDATION_BATCH", 4)
    held_out, found = long_bags(lengths), []
    for engine in ("compiled", "keras"):
        with portable_random(0):
            model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(3, "relu")])
            model.add(keras.layers.Dense(1))
        recipe = Recipe(optimizer="sgd", loss="mse", metrics=("mae",), epochs=3, batch_size=4)
        training = fit(
            model, long_bags([60, 3, 0, 95, 40]), recipe, validation=held_out, engine=engine
        )
        assert training.engine == engine
        found.append(training.history)
    assert "val_mae" in found[0]
    for name, values in found[1].items():
        # Sums of up to a hundred float32 numbers near 0.1, in another order.
        np.testing.assert_allclose(found[0][name], values, rtol=2e-5, atol=1e-6, err_msg=name)
