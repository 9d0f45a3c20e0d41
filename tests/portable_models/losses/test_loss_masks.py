"""Losses of sequences, where a layer's mask says which time steps count."""

import keras
import numpy as np
import pytest

from portable_models import names

from . import reference
from .cases import CASES
from .test_loss_values import REDUCTIONS, close

MASK = np.array([[True, True], [True, False], [True, True], [False, False]])
STEP_WEIGHTS = np.array([[1.0, 0.5], [2.0, 9.0], [0.0, 1.0], [3.0, 1.0]], dtype="float32")
# The others give one value for a whole batch, or for a whole sequence, and have no time steps.
WITHOUT_STEPS = {"CTC", "Circle", "Dice", "Tversky"}
SEQUENCES = [case for case in CASES if case.name not in WITHOUT_STEPS and case.mask is None]


class GivenMask(keras.layers.Layer):
    """Passes its inputs on with one fixed mask."""

    def __init__(self, mask):
        super().__init__()
        self.supports_masking = True
        self.given = mask

    def call(self, inputs):
        return inputs

    def compute_mask(self, inputs, previous_mask):
        return keras.ops.convert_to_tensor(self.given)


def steps(rows):
    """Rows ``(8, ...)`` as 4 sequences of 2 time steps."""
    return np.reshape(rows, (4, 2, *np.shape(rows)[1:]))


@pytest.mark.parametrize("weights", [None, STEP_WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("case", SEQUENCES[:1], ids=str)
def test_masked_steps_do_not_count_in_any_reduction(case, reduction, weights):
    _check(case, reduction, weights)


@pytest.mark.parametrize("case", SEQUENCES[1:], ids=str)
def test_masked_steps_do_not_count(case):
    _check(case, "sum_over_batch_size", STEP_WEIGHTS)


def _check(case, reduction, weights):
    loss = names.loss(case.name, reduction=reduction, **case.arguments)
    masked = GivenMask(MASK)(steps(case.y_pred))
    actual = loss(steps(case.y_true), masked, sample_weight=weights)
    expected = reference.reduce(steps(case.expected()), weights, MASK, reduction)
    close(actual, expected, case.magnitude * 8)


def test_a_batch_without_a_step_that_counts_has_a_loss_of_zero():
    nothing = GivenMask(np.zeros((4, 2), dtype=bool))(steps(SEQUENCES[0].y_pred))
    assert float(names.loss("mse")(steps(SEQUENCES[0].y_true), nothing)) == 0.0
