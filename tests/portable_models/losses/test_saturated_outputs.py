"""Crossentropies of saturated sigmoid and softmax outputs: equal on every backend, in value and gradient."""

import doctest

import keras
import numpy as np
import pytest

from portable_models import names
from portable_models.losses import of_probabilities

LOGITS = np.array([[-30.0, 30.0], [2.0, -1.0]], "float32")
CASES = {
    "BinaryCrossentropyOfProbabilities": ("sigmoid", LOGITS, np.array([[1.0, 1.0], [1.0, 0.0]])),
    "CategoricalCrossentropyOfProbabilities": ("softmax", LOGITS, np.eye(2)),
    "SparseCategoricalCrossentropyOfProbabilities": ("softmax", LOGITS, np.array([0, 1])),
}
CLIPPED = -np.log(1e-7)  # the documented loss of a prediction that is all wrong


def model_of(name):
    activation, logits, targets = CASES[name]
    layer = keras.layers.Dense(2, activation=activation, kernel_initializer="identity")
    model = keras.Sequential([keras.Input((2,)), layer])
    model.compile(keras.optimizers.SGD(1.0), names.loss(name))
    return model, logits, targets


def expected(name):
    softplus = np.log1p(np.exp([-2.0, -1.0, 3.0]))  # of the second row, which is not saturated
    binary = (CLIPPED / 2 + softplus[:2].mean()) / 2
    return binary if name.startswith("Binary") else (CLIPPED + softplus[2]) / 2


@pytest.mark.parametrize("name", CASES)
def test_a_saturated_output_costs_what_is_documented(name):
    model, logits, targets = model_of(name)
    # The logarithm of 1e-7 in float32, and of a sum that holds 1e-7 once more.
    np.testing.assert_allclose(
        model.evaluate(logits, targets, verbose=0), expected(name), rtol=2e-6
    )


@pytest.mark.parametrize("name", CASES)
def test_a_saturated_output_does_not_move_the_weights(name):
    model, logits, targets = model_of(name)
    model.fit(logits[:1], targets[:1], verbose=0)
    # Its right neighbour, at 1 - 1e-13, may: by less than the clip.
    np.testing.assert_allclose(model.get_weights()[1], 0.0, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_arguments_survive_a_config(name):
    loss = names.loss(name, from_logits=True, reduction="sum", name="mine")
    assert names.loss(names.serialize(loss)).get_config() == loss.get_config()


def test_example_in_the_docstring():
    result = doctest.testmod(of_probabilities)
    assert (result.attempted, result.failed) == (2, 0)
