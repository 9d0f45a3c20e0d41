"""Tolerances follow the output's scale and the measured floor, and what cannot be compared never passes."""

import re

import numpy as np
import pytest

from portable_models.export.comparison import FLOOR_FACTOR, RELATIVE, compare, magnitude, scales

ONES = np.ones((3, 2), np.float32)


def check(actual, expected, scale=1.0, floor=0.0):
    return compare("output", len(expected), actual, expected, scale, floor)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_difference_is_a_part_of_the_scale(scale):
    expected = scale * ONES.astype(np.float64)
    actual = expected.copy()
    actual[0, 0] += 5e-7 * scale
    found = check(actual, expected, scale)
    # float64 holds 1e4 to 1e-12, so the difference of 5e-7 is exact to that.
    assert found.passed
    assert found.difference == pytest.approx(5e-7, rel=1e-4)


@pytest.mark.parametrize("factor", [1 + 2e-6, 1 - 2e-6, 1.0001, 0.0, -1.0])
def test_difference_beyond_the_tolerance_fails(factor):
    assert not check((ONES * np.float64(factor)), ONES).passed


def test_floor_widens_the_tolerance_and_says_so():
    floor = 1e-5
    moved = ONES + np.float64(3.9e-5)
    found = check(moved, ONES, floor=floor)
    assert found.passed
    assert found.tolerance == FLOOR_FACTOR * floor
    assert "the source model itself moves" in found.reason
    assert not check(ONES + np.float64(4.1e-5), ONES, floor=floor).passed


def test_small_floor_leaves_the_flat_tolerance():
    assert check(ONES, ONES, floor=RELATIVE / 5).tolerance == RELATIVE


@pytest.mark.parametrize(
    ("actual", "expected", "reason"),
    [
        (np.ones((3, 1)), ONES, r"expected shape \[3, 2\], got \[3, 1\]"),
        (np.full((3, 2), np.nan), ONES, "NaN or infinity at other places"),
        (ONES, np.array([[1, 1], [1, 1], [1, np.inf]]), "NaN or infinity at other places"),
        (np.full((3, 2), np.nan), np.full((3, 2), np.nan), "no finite number"),
    ],
)
def test_what_cannot_be_compared_fails(actual, expected, reason):
    found = check(actual, expected)
    assert (found.passed, found.difference) == (False, None)
    assert re.search(reason, found.reason)


def test_equal_infinities_are_equal():
    values = np.array([[np.inf, -np.inf], [np.nan, 1.0]])
    assert check(values, values).difference == 0.0


def test_scale_comes_from_random_inputs_only():
    outputs = [[np.array([2.0, -3.0])], [np.array([1.0])], [np.array([900.0])]]
    assert scales(outputs, [True, True, False]) == [3.0]


def test_magnitude_leaves_out_what_is_not_finite():
    assert magnitude(np.array([1.0, -4.0, np.nan, np.inf])) == 4.0
    assert magnitude(np.array([np.nan])) == 0.0
