"""What a difference is allowed, and what is no difference."""

import numpy as np
import pytest

from backends_matrix.check.tolerance import EPSILON, compare, distance, judges_agree


def one(value):
    return {"0": np.asarray(value)}


def test_rounding_of_a_well_conditioned_result_is_allowed_and_little_else():
    exact = one(np.ones(3))
    (rounded,) = compare(one(np.float32([1, 1, 1 + 3e-7])), exact, [one(np.array(1e-7))])
    (different,) = compare(one(np.float32([1, 1, 1 + 2e-5])), exact, [one(np.array(1e-7))])
    assert rounded.agrees
    assert not different.agrees


def test_a_result_that_moves_far_is_allowed_much():
    exact = one(np.ones(3))
    (found,) = compare(one(np.float32([1, 1, 1.003])), exact, [one(np.array(1e-3))] * 3)
    assert found.agrees


def test_one_backend_that_moves_far_does_not_widen_the_tolerance_of_all():
    moves = [one(np.array(each)) for each in (0.0, 0.0, 1.0)]
    (found,) = compare(one(np.float32([1.01])), one(np.ones(1)), moves)
    assert not found.agrees


def test_nan_at_the_same_places_is_agreement_and_is_said():
    mine, exact = np.float32([np.nan, 1.0]), np.array([np.nan, 1.0])
    found = distance("0", mine, exact, EPSILON)
    assert found.agrees
    assert "NaN on both sides" in found.note


@pytest.mark.parametrize("mine", [[np.nan, 1.0], [0.0, np.inf]])
def test_nan_or_infinity_on_one_side_is_a_difference(mine):
    found = distance("0", np.float32(mine), np.array([0.0, 1.0]), 1e9)
    assert not found.agrees
    assert "NaN or infinite here" in found.note


@pytest.mark.parametrize(
    ("mine", "judge", "agrees"),
    [
        (np.nan, 1e227, True),  # an overflow, one step later
        (np.nan, np.inf, False),
        (np.nan, 1.0, False),
        (np.inf, -1e227, False),
        (np.inf, np.nan, False),
    ],
)
def test_no_number_is_what_comes_of_an_overflow_alone(mine, judge, agrees):
    found = distance("x", np.array([mine, 1.0]), np.array([judge, 1.0]), 1e-6)
    assert found.agrees == agrees


def test_what_overflows_in_float32_alone_is_infinity_on_both_sides():
    assert distance("0", np.float32([np.inf]), np.array([1e300]), 0.0).agrees


def test_integers_are_equal_or_not():
    assert distance("0", np.array([1, 2]), np.array([1, 2]), 0.0).agrees
    assert not distance("0", np.array([1, 2]), np.array([1, 3]), 0.5).agrees


def test_another_shape_is_a_difference():
    assert not distance("0", np.ones((2, 1)), np.ones((1, 2)), 1e9).agrees


def test_what_is_missing_is_a_difference():
    (found,) = compare({}, one(np.ones(1)), [])
    assert not found.agrees


def test_judges_that_differ_by_what_float32_is_allowed_do_not_agree():
    assert judges_agree(one(np.ones(1)), one(np.ones(1) + 1e-9), [])
    assert not judges_agree(one(np.ones(1)), one(np.ones(1) + 4e-6), [])
