"""Crossentropies as metrics that forget the activation, and nothing else."""

import doctest
import functools

import keras
import numpy as np
import pytest

from portable_models.metrics import of_probabilities
from portable_models.resolution import resolve_metrics

CHANCES = np.array([[[0.5], [0.25], [0.125]]], "float32")
MASK = np.array([[True, True, False]])


@pytest.mark.parametrize(
    "spelling",
    [
        "bce",
        keras.metrics.BinaryCrossentropy(),
        keras.metrics.binary_crossentropy,
        functools.partial(keras.metrics.binary_crossentropy, label_smoothing=0.0),
    ],
    ids=["name", "object", "function", "partial"],
)
def test_masked_steps_do_not_count(spelling):
    (metric,) = resolve_metrics([spelling])
    y_pred = keras.ops.convert_to_tensor(CHANCES)
    y_pred._keras_mask = keras.ops.convert_to_tensor(MASK)
    metric.update_state(np.ones((1, 3, 1), "float32"), y_pred)
    # The logarithms of two float32 numbers, and their mean.
    assert float(metric.result()) == pytest.approx(1.5 * np.log(2), rel=4e-7)


def test_masked_steps_do_not_count_where_a_model_is_evaluated():
    # JAX compiles the evaluation: a tensor that is traced there has no attributes, so Keras keeps its mask
    # elsewhere.
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            layers.Embedding(3, 2, mask_zero=True),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(loss="mse", metrics=resolve_metrics(["bce"]))
    x, y = np.array([[1, 2, 0]]), np.ones((1, 3, 1), "float32")
    found = model.evaluate(x, y, verbose=0, return_dict=True)
    (metric,) = (value for name, value in found.items() if name != "loss")
    # The mean of two logarithms of chances near a half: about ten roundings of 6e-8 in float32.
    expected = -np.log(model.predict(x, verbose=0)[0, :2].astype("float64")).mean()
    assert metric == pytest.approx(expected, rel=1e-6)


def test_settings_and_state_belong_to_the_object_in_use():
    given = keras.metrics.CategoricalCrossentropy(name="cost", label_smoothing=0.2, axis=1)
    (metric,) = resolve_metrics([given])
    assert metric.get_config() == given.get_config()
    assert isinstance(metric, of_probabilities.CategoricalCrossentropyOfProbabilities)


def test_example_in_the_docstring():
    result = doctest.testmod(of_probabilities)
    assert result.attempted > 0
    assert result.failed == 0
