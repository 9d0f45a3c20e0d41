"""What is changed between two trainings without ``compile`` is told, on backends that trace."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops

import portable_models
from portable_models import portable_random
from portable_models.training import ChangedModelWarning

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4)).astype("float32")
Y = X[:, :1] * 2
DECAY = {"from": 0.1}
pytestmark = pytest.mark.filterwarnings("ignore:Model.fit runs this training")
traced = pytest.mark.skipif(
    keras.config.backend() == "torch", reason="PyTorch runs Python code at every step"
)


def network(**settings):
    with portable_random(0):
        model = keras.Sequential(
            [keras.Input((4,)), layers.Dense(3, "tanh"), layers.Dropout(0.4), layers.Dense(1)]
        )
    model.compile(**({"optimizer": "sgd", "loss": "mse"} | settings))
    return model


def told(category, train):
    """The messages of the warnings of this kind that a training gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        train()
    return [str(each.message) for each in caught if issubclass(each.category, category)]


def of_a_closure(weight):
    def loss(y_true, y_pred):
        return weight["of errors"] * ops.mean(ops.square(y_true - y_pred), axis=-1)

    return loss


class Weighted(keras.losses.Loss):
    factor = 1.0

    def call(self, y_true, y_pred):
        return self.factor * ops.mean(ops.square(y_true - y_pred), axis=-1)


@traced
@pytest.mark.parametrize("what", ["a layer", "a closure", "a loss", "a global"])
def test_a_change_without_compile_is_told(what):
    weight, own = {"of errors": 1.0}, Weighted()
    own.factor = 1.0
    loss = {"a closure": of_a_closure(weight), "a loss": own, "a global": by_a_global}.get(
        what, "mse"
    )
    model = network(loss=loss)
    portable_models.fit(model, X, Y, verbose=0)
    if what == "a layer":
        model.layers[1].rate = 0.0
    weight["of errors"], own.factor, DECAY["from"] = 5.0, 5.0, DECAY["from"] + 1
    (message,) = told(ChangedModelWarning, lambda: portable_models.fit(model, X, Y, verbose=0))
    words = {
        "a layer": "rate from 0.4 to 0.0",
        "a closure": "5.0",
        "a loss": "factor from 1.0 to 5.0",
    }
    assert words.get(what, "DECAY") in message
    model.layers[1].rate = 0.2
    model.compile("sgd", loss)
    assert not told(ChangedModelWarning, lambda: portable_models.fit(model, X, Y, verbose=0))


def by_a_global(y_true, y_pred):
    return DECAY["from"] * ops.mean(ops.abs(y_true - y_pred), axis=-1)


def test_nothing_is_told_where_nothing_was_changed():
    model = network(optimizer="adam", metrics=["mae"])
    for _ in range(3):
        portable_models.fit(model, X, Y, epochs=2, validation_data=(X, Y), verbose=0)
