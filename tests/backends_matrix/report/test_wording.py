import math

import pytest

from backends_matrix.report import wording
from backends_matrix.report.records import Comparison, Verdict


def comparison(difference, tolerance, verdict=Verdict.AGREES, level=2):
    where = ("imdb", "final", "loss", 3, "jax", "torch", "numpy")
    return Comparison(level, *where, difference, tolerance, difference, verdict, "")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "–"),
        (0.0, "0.00000"),
        (0.8735, "0.87350"),
        (-1.5, "-1.50000"),
        (12.69, "12.6900"),
        (123.456, "123.456"),
        (12345.678, "12345.7"),
        (1.25e7, "1.25e7"),
        (0.00012345, "1.23e-4"),
    ],
)
def test_a_metric_has_about_five_digits(number, text):
    assert wording.value(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (0.0021, "2.1e-3"),
        (1.0, "1.0"),
        (250.0, "2.5e2"),
        (9.96e-5, "1.0e-4"),
        (math.inf, "inf"),
    ],
)
def test_a_difference_has_two_digits(number, text):
    assert wording.scientific(number) == text


@pytest.mark.parametrize("number", [2.1e-3, 2.11e-3, 2.0999e-3, 9.99e-8, 1e-12, 3.0, 1234.5, 9.95])
def test_a_tolerance_that_is_said_to_pass_does_pass(number):
    text = wording.rounded_up(number)
    assert number <= float(text) <= number * 1.1


@pytest.mark.parametrize(
    ("difference", "tolerance", "text"),
    [
        (2.1e-3, 4.0e-5, "2.1e-3 > 4.0e-5"),
        (4.0e-5, 4.0e-5, "4.0e-5 ≤ 4.0e-5"),
        (0.0, 0.0, "0 ≤ 0"),
        (2.14e-3, 2.11e-3, "2.14e-3 > 2.11e-3"),
        (2.1101e-3, 2.1100e-3, "2.1101e-3 > 2.1100e-3"),
        (None, 1.0, "equal"),
    ],
)
def test_difference_and_tolerance_have_digits_enough_to_differ(difference, tolerance, text):
    assert wording.measured_against(comparison(difference, tolerance)) == text


@pytest.mark.parametrize(
    ("verdict", "text"), [(Verdict.DIFFERS, "not equal"), (Verdict.AGREES, "equal")]
)
def test_digests_are_equal_or_not(verdict, text):
    assert wording.measured_against(comparison(1.0, 0.0, verdict, level=0)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.123, "0.12 s"),
        (12.34, "12.3 s"),
        (200.4, "3 min 20 s"),
        (3599.9, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations_are_easy_to_read(seconds, text):
    assert wording.duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"), [(None, "–"), (812 * 2**20, "812 MiB"), (3 * 2**29, "1.5 GiB")]
)
def test_memory_is_in_binary_units(number, text):
    assert wording.memory(number) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 cells"), (1, "1 cell"), (1200, "1,200 cells")])
def test_nouns_follow_their_number(number, text):
    assert wording.count(number, "cell") == text


@pytest.mark.parametrize(
    ("created", "text"),
    [
        ("2026-02-03T14:05:06+00:00", "2026-02-03 14:05 UTC"),
        ("2026-02-03T14:05:06", "2026-02-03 14:05"),
        ("yesterday", "yesterday"),
    ],
)
def test_the_date_is_for_people(created, text):
    assert wording.moment(created) == text
