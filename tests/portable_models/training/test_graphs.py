"""On TensorFlow, a program of few steps is quick to make: one step serves batches of all sizes."""

import keras
import numpy as np
import pytest

from portable_models import Recipe, portable_random
from portable_models._backend import current

if current().name != "tensorflow":
    pytest.skip("graphs of unknown shapes are TensorFlow's", allow_module_level=True)

from portable_models._backend import tensorflow_program
from portable_models._backend.memory import aligned
from portable_models.data import ArraySamples, MultiHotSamples
from portable_models.training.evaluation import evaluated

from .study import fit

tf = tensorflow_program.tf
BATCH = 4


class Watched(keras.layers.Dense):
    """Says which sizes of a batch it was traced with, and may want to know them."""

    def __init__(self, wants_to_know=False):
        super().__init__(1)
        self.wants_to_know = wants_to_know
        self.sizes = []

    def call(self, inputs, training=None):
        """As Dense."""
        if tf.inside_function():
            self.sizes.append(inputs.shape[0])
            if self.wants_to_know and inputs.shape[0] is None:
                raise TypeError("how large is a batch?")
        return super().call(inputs)


def train(rows, wants_to_know=False, **settings):
    with portable_random(0):
        layer = Watched(wants_to_know)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, "relu"), layer])
    x = np.random.default_rng(0).normal(size=(rows, 3)).astype("float32")
    recipe = Recipe(optimizer="adam", loss="mse", metrics=("mae",), epochs=2, batch_size=BATCH)
    training = fit(model, (x, x[:, 0]), recipe, validation=(x, x[:, 1]), **settings)
    # The first is the one row that Keras builds everything by.
    return training, layer.sizes[1:]


def test_whole_batches_and_what_is_left_over_are_one_step():
    training, sizes = train(11)
    assert training.engine == "compiled"
    # One training step, and a test step for 11 samples at once.
    assert sizes == [None, 11]
    np.testing.assert_allclose(
        training.history["loss"], train(11, engine="keras")[0].history["loss"], rtol=2e-6
    )


def test_a_single_size_is_known():
    assert train(12)[1] == [BATCH, 12]


def test_what_wants_to_know_the_size_is_told():
    training, sizes = train(11, wants_to_know=True)
    assert training.engine == "compiled"
    assert sizes[0] is None
    assert {BATCH, 11 % BATCH} <= set(sizes)
    assert training.history == train(11)[0].history


def test_xla_is_given_every_size(monkeypatch):
    monkeypatch.setattr(tensorflow_program, "PAYS_FROM", 1)
    training, sizes = train(11)
    assert training.engine == "compiled"
    assert None not in sizes


def test_an_evaluation_is_traced_once():
    layer = Watched()
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(loss="mse")
    x = np.ones((12, 3), "float32")
    evaluated(model, ArraySamples(x, x[:, 0]), BATCH)
    # Once to know which variables the metrics have, once for three batches.
    assert layer.sizes == [1, BATCH]


def test_memory_is_taken_over_only_where_it_is_aligned():
    array = aligned((3, 5), np.int64)
    tensor = current().without_copy(array)
    array[1, 2] = 7
    np.testing.assert_array_equal(tensor, array)
    assert tensor.dtype == tf.int64
    beside = array[:, 1:]
    assert current().without_copy(beside) is beside
    odd = array.reshape(-1)[1:]
    assert current().without_copy(odd) is odd


@pytest.mark.parametrize("pays_from", [1, 10_000])
def test_held_out_bags_are_the_same_through_xla(monkeypatch, pays_from):
    monkeypatch.setattr(tensorflow_program, "PAYS_FROM", pays_from)
    words = np.array([0, 5, 5, 2, 8, 1, 8], "int32")
    y = np.arange(5, dtype="float32")
    bags, found = MultiHotSamples(words, np.array([0, 2, 2, 4, 5, 7]), 9, y), []
    for engine in ("compiled", "keras"):
        with portable_random(0):
            model = keras.Sequential([keras.Input((9,)), keras.layers.Dense(1)])
        recipe = Recipe(optimizer="sgd", loss="mse", epochs=2, batch_size=2)
        training = fit(model, bags, recipe, validation=bags, engine=engine)
        assert training.engine == engine
        found.append(training.history)
    # Sums of a few float32 numbers, in another order.
    for name, values in found[1].items():
        np.testing.assert_allclose(found[0][name], values, rtol=1e-5, err_msg=name)
