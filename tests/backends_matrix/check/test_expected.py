"""Failures that are expected, and expectations that nothing meets."""

import pytest

from backends_matrix.check import Check, Kind, Status
from backends_matrix.check.expected import (
    apply_expectations,
    needless_expectations,
    read_expected,
)
from backends_matrix.check.result import verdict_of
from backends_matrix.errors import CallError

FAILED = Check("outputs", "torch", Status.FAIL, Kind.KERAS, "why", known_gap="some-gap")


@pytest.mark.parametrize("key", ["outputs", "outputs@torch", "some-gap"])
def test_a_failure_that_is_expected_is_no_failure(key):
    (found,) = apply_expectations([FAILED], {key: "reason"})
    assert found.status is Status.EXPECTED
    assert found.cause == "expected: reason (why)"
    assert verdict_of([found]) == "portable"


@pytest.mark.parametrize("key", ["outputs@jax", "gradients", "other-gap"])
def test_another_failure_stays_one(key):
    assert apply_expectations([FAILED], {key: "reason"}) == [FAILED]


def test_an_expectation_that_nothing_meets_is_told_and_fails_if_strict():
    (told,) = needless_expectations([FAILED], {"loss": "reason"}, strict=False)
    (strict,) = needless_expectations([FAILED], {"loss": "reason"}, strict=True)
    assert (told.status, strict.status) == (Status.PASS, Status.FAIL)
    assert "take it out of the list" in told.cause


def test_an_expectation_that_was_met_is_not_told():
    checks = apply_expectations([FAILED], {"outputs": "reason"})
    assert needless_expectations(checks, {"outputs": "reason"}, strict=True) == []


def test_the_file(tmp_path):
    path = tmp_path / "expected.toml"
    path.write_text('[expected]\n"gradients@torch" = "upstream"\n')
    assert read_expected(path) == {"gradients@torch": "upstream"}


@pytest.mark.parametrize("text", ["[expected]\nloss = 3\n", "not toml"])
def test_a_file_that_is_something_else(tmp_path, text):
    path = tmp_path / "expected.toml"
    path.write_text(text)
    with pytest.raises(CallError, match="--expected"):
        read_expected(path)
