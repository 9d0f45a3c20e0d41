"""The gradient of every loss, compiled by ``fit``, against finite differences of the formula.

One model holds the predictions of all cases as weights of its own, one output each. After a step of
gradient descent with learning rate 1 each weight has moved by its own loss's gradient.
"""

import keras
import numpy as np
import pytest

from portable_models import names

from . import reference
from .cases import CASES, OWN_CASES, SAMPLES

ALL_CASES = CASES + OWN_CASES

STEP = 1e-6  # of the central difference in float64: error about STEP**2, and eps / STEP = 2e-10.


class OwnPredictions(keras.layers.Layer):
    """Gives its weight, whatever it is asked."""

    def __init__(self, predictions, name):
        super().__init__(name=name)
        self.predictions = self.add_weight(
            shape=predictions.shape, initializer=lambda shape, dtype: predictions, name="values"
        )

    def call(self, inputs):
        return keras.ops.convert_to_tensor(self.predictions)


@pytest.fixture(scope="module")
def gradients():
    inputs = keras.Input((1,), batch_size=SAMPLES)
    outputs, losses, targets = {}, {}, {}
    for case in ALL_CASES:
        key = str(case).replace("-", "_")
        outputs[key] = OwnPredictions(case.y_pred, name=key)(inputs)
        losses[key] = names.loss(case.name, **case.arguments)
        targets[key] = case.y_true
    model = keras.Model(inputs, outputs)
    model.compile(names.optimizer("sgd", learning_rate=1.0), loss=losses)
    model.fit(np.zeros((SAMPLES, 1)), targets, batch_size=SAMPLES, shuffle=False, verbose=0)
    return {
        str(case): case.y_pred - keras.ops.convert_to_numpy(model.get_layer(key).predictions)
        for key, case in zip(outputs, ALL_CASES, strict=True)
    }


def finite_differences(case):
    def loss(y_pred):
        return reference.reduce(case.expected(y_pred), mask=case.mask)

    start = np.asarray(case.y_pred, "float64")
    gradient = np.zeros_like(start)
    for index in np.ndindex(start.shape):
        moved = np.zeros_like(start)
        moved[index] = STEP
        gradient[index] = (loss(start + moved) - loss(start - moved)) / (2 * STEP)
    return gradient


@pytest.mark.parametrize("case", ALL_CASES, ids=str)
def test_gradient_is_that_of_the_formula(case, gradients):
    # As many float32 roundings as the value has (see test_loss_values), and the one of the weight,
    # of order 1, that the gradient was read from; the finite difference is off by less than 1e-9.
    tolerance = 64 * np.finfo("float32").eps / 2
    expected = finite_differences(case)
    largest = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(
        gradients[str(case)], expected, rtol=tolerance, atol=tolerance * largest
    )
