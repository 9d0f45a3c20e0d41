"""Constraints against their formulas in float64, and that they hold after training."""

import keras
import numpy as np
import pytest

from portable_models import names

_RNG = np.random.default_rng(20240402)
WEIGHTS = _RNG.normal(size=(4, 5)).astype("float32")
WEIGHTS[:, 0] *= 0.1
WEIGHTS[:, 1] *= 4
EPSILON = 1e-7  # Keras's, in the denominator; it moves a result by a tenth of a float32 rounding.
# Sums of 4 squares, a root and a division: at most 16 roundings of numbers of at most 8.
ROUNDINGS = 16 * np.finfo("float32").eps * 8


def lengths(w, axis=0):
    return np.sqrt((w**2).sum(axis, keepdims=True))


def to_length(w, wanted, axis=0):
    return w * wanted / (lengths(w, axis) + EPSILON)


CASES = {
    "MaxNorm": ({}, lambda w: to_length(w, np.minimum(lengths(w), 2))),
    "MaxNorm-rows": (
        {"max_value": 1.5, "axis": 1},
        lambda w: to_length(w, np.minimum(lengths(w, 1), 1.5), 1),
    ),
    "NonNeg": ({}, lambda w: np.maximum(w, 0)),
    "UnitNorm": ({}, lambda w: to_length(w, 1)),
    "MinMaxNorm": ({}, lambda w: to_length(w, np.clip(lengths(w), 0, 1))),
    "MinMaxNorm-gentle": (
        {"min_value": 0.5, "max_value": 1.5, "rate": 0.25},
        lambda w: to_length(w, 0.25 * np.clip(lengths(w), 0.5, 1.5) + 0.75 * lengths(w)),
    ),
}
HOLDS = {
    "MaxNorm": ({"max_value": 0.7}, lambda w: lengths(w).max() <= 0.7 + ROUNDINGS),
    "NonNeg": ({}, lambda w: w.min() >= 0),
    "UnitNorm": ({}, lambda w: np.abs(lengths(w) - 1).max() <= ROUNDINGS),
    "MinMaxNorm": (
        {"min_value": 0.5, "max_value": 0.7},
        lambda w: 0.5 - ROUNDINGS <= lengths(w).min() <= lengths(w).max() <= 0.7 + ROUNDINGS,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_constraint_is_that_of_its_formula(case):
    arguments, formula = CASES[case]
    constraint = names.constraint(case.split("-")[0], **arguments)
    actual = keras.ops.convert_to_numpy(constraint(keras.ops.convert_to_tensor(WEIGHTS)))
    np.testing.assert_allclose(actual, formula(WEIGHTS.astype("float64")), atol=ROUNDINGS)


@pytest.mark.parametrize("name", HOLDS)
def test_constraint_holds_after_training(name):
    arguments, holds = HOLDS[name]
    layer = keras.layers.Dense(5, kernel_constraint=names.constraint(name, **arguments))
    model = keras.Sequential([keras.Input((4,)), layer])
    model.set_weights([WEIGHTS, np.zeros(5)])
    assert not holds(WEIGHTS)
    model.compile("sgd", "mse")
    model.fit(np.eye(4), np.full((4, 5), -1.0), batch_size=2, verbose=0)
    assert holds(model.get_weights()[0])


def test_every_constraint_of_keras_is_tested():
    assert set(HOLDS) == set(names.known_names()["constraint"])
