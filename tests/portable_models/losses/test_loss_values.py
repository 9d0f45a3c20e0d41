"""Every loss, reduction and sample weight against the formula in float64."""

import keras
import numpy as np
import pytest

from portable_models import names

from . import reference
from .cases import CASES, OWN_CASES, SAMPLES, WEIGHTS

REDUCTIONS = ["sum_over_batch_size", "sum", "mean_with_sample_weight", "none"]
# A value comes of at most 64 float32 operations (exp and log included), each off by half a unit in
# the last place of a number that is at most `magnitude`.
ROUNDINGS = 64 * np.finfo("float32").eps / 2


def close(actual, expected, magnitude):
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(actual), expected, rtol=ROUNDINGS, atol=ROUNDINGS * magnitude
    )


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_loss_is_that_of_the_formula(case, reduction, weights):
    loss = names.loss(case.name, reduction=reduction, **case.arguments)
    actual = loss(case.y_true, case.y_pred, sample_weight=weights)
    expected = reference.reduce(case.expected(), weights, case.mask, reduction)
    close(actual, expected, case.magnitude * (SAMPLES if reduction == "sum" else 1))


@pytest.mark.parametrize("case", OWN_CASES, ids=str)
def test_own_loss_is_that_of_the_formula(case):
    actual = names.loss(case.name, **case.arguments)(case.y_true, case.y_pred, WEIGHTS)
    close(actual, reference.reduce(case.expected(), WEIGHTS, case.mask), case.magnitude)


def test_mean_is_another_name_of_the_sum_over_the_batch():
    case = CASES[0]
    actual = names.loss(case.name, reduction="mean")(case.y_true, case.y_pred)
    close(actual, reference.reduce(case.expected()), case.magnitude)


def test_every_loss_of_keras_has_a_case():
    assert {case.name for case in CASES + OWN_CASES} == set(names.known_names()["loss"])


def test_weights_that_are_all_zero_give_a_loss_of_zero():
    loss = names.loss("mse", reduction="mean_with_sample_weight")
    assert float(loss(np.ones((2, 1)), np.zeros((2, 1)), sample_weight=np.zeros(2))) == 0.0
