"""Penalties of kernels, biases and outputs against their formulas in float64."""

import keras
import numpy as np
import pytest

from portable_models import names

_RNG = np.random.default_rng(20240401)
INPUTS = _RNG.normal(size=(6, 4)).astype("float32")
KERNEL = _RNG.normal(size=(4, 3)).astype("float32")
BIAS = _RNG.normal(size=3).astype("float32")
OUTPUTS = INPUTS.astype("float64") @ KERNEL + BIAS
# Sums of at most 24 terms, each of a few float32 operations, on numbers of at most 64.
ROUNDINGS = 64 * np.finfo("float32").eps


def orthogonality(matrix, factor, axis):
    """The mean of |cosine| over pairs of rows (axis 1) or of columns (axis 0).

    As documented at https://keras.io/api/layers/regularizers.
    """
    rows = np.asarray(matrix if axis == 1 else matrix.T, "float64")
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return factor * np.abs((rows @ rows.T)[np.triu_indices(len(rows), 1)]).mean()


PENALTIES = {
    "L1": ({"l1": 0.3}, lambda x: 0.3 * np.abs(x).sum()),
    "L2": ({"l2": 0.2}, lambda x: 0.2 * (x**2).sum()),
    "L1L2": ({"l1": 0.3, "l2": 0.2}, lambda x: 0.3 * np.abs(x).sum() + 0.2 * (x**2).sum()),
    "OrthogonalRegularizer": (
        {"factor": 0.4, "mode": "rows"},
        lambda x: orthogonality(x, 0.4, 1),
    ),
}
DEFAULTS = {
    "L1": lambda x: 0.01 * np.abs(x).sum(),
    "L2": lambda x: 0.01 * (x**2).sum(),
    "L1L2": lambda x: 0.0,
    "OrthogonalRegularizer": lambda x: orthogonality(x, 0.01, 1),
}
OF_VECTORS = [name for name in PENALTIES if name != "OrthogonalRegularizer"]


def close(actual, expected):
    actual = float(keras.ops.convert_to_numpy(actual))
    np.testing.assert_allclose(actual, expected, rtol=ROUNDINGS, atol=ROUNDINGS)


def penalty_of_a_layer(**regularizers):
    layer = keras.layers.Dense(3, **regularizers)
    layer.build(INPUTS.shape)
    layer.set_weights([KERNEL, BIAS])
    layer(INPUTS)
    (loss,) = layer.losses
    return loss


@pytest.mark.parametrize("name", PENALTIES)
def test_kernel_penalty(name):
    arguments, formula = PENALTIES[name]
    regularizer = names.regularizer(name, **arguments)
    close(penalty_of_a_layer(kernel_regularizer=regularizer), formula(KERNEL.astype("float64")))


@pytest.mark.parametrize("name", OF_VECTORS)
def test_bias_penalty(name):
    arguments, formula = PENALTIES[name]
    regularizer = names.regularizer(name, **arguments)
    close(penalty_of_a_layer(bias_regularizer=regularizer), formula(BIAS.astype("float64")))


@pytest.mark.parametrize("name", PENALTIES)
def test_activity_penalty_is_divided_by_the_number_of_samples(name):
    arguments, formula = PENALTIES[name]
    regularizer = names.regularizer(name, **arguments)
    loss = penalty_of_a_layer(activity_regularizer=regularizer)
    close(loss, formula(OUTPUTS) / len(INPUTS))


@pytest.mark.parametrize("name", DEFAULTS)
def test_penalty_given_by_name_has_the_documented_strength(name):
    weights = keras.ops.convert_to_tensor(KERNEL)
    close(names.regularizer(name)(weights), DEFAULTS[name](KERNEL.astype("float64")))


def test_orthogonality_of_columns():
    regularizer = names.regularizer("orthogonal", factor=0.4, mode="columns")
    close(regularizer(keras.ops.convert_to_tensor(KERNEL)), orthogonality(KERNEL, 0.4, 0))


def test_a_bias_has_no_orthogonality():
    with pytest.raises(ValueError, match="must have rank 2"):
        penalty_of_a_layer(bias_regularizer=names.regularizer("orthogonal"))


def test_compiled_loss_holds_all_penalties():
    layer = keras.layers.Dense(
        3,
        kernel_regularizer=names.regularizer("l1_l2", l1=0.3, l2=0.2),
        bias_regularizer=names.regularizer("l1", l1=0.3),
        activity_regularizer=names.regularizer("l2", l2=0.2),
    )
    model = keras.Sequential([keras.Input((4,)), layer])
    layer.set_weights([KERNEL, BIAS])
    model.compile(loss="mse")
    targets = np.zeros((6, 3), "float32")
    expected = (
        (OUTPUTS**2).mean()
        + PENALTIES["L1L2"][1](KERNEL.astype("float64"))
        + PENALTIES["L1"][1](BIAS.astype("float64"))
        + PENALTIES["L2"][1](OUTPUTS) / 6
    )
    close(np.asarray(model.evaluate(INPUTS, targets, batch_size=6, verbose=0)), expected)


def test_every_regularizer_of_keras_is_tested():
    assert set(PENALTIES) == set(names.known_names()["regularizer"])
