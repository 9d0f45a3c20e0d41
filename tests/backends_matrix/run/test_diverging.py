"""Trainings whose numbers cease to be finite: alike on every backend, or on some only."""

import pytest


@pytest.fixture(scope="module")
def several(backends):
    if "jax" not in backends or "torch" not in backends:
        pytest.skip("needs JAX and PyTorch")
    return ("--backends", "jax,torch", "--replicas", "1", "--most-replicas", "1")


def test_numbers_that_are_lost_everywhere_at_once_are_an_agreement_and_said(portable, several):
    done = portable("matrix", "diverging:everywhere", *several)
    assert (done.code, done.report["verdict"]) == (0, "agree"), done.output
    assert set(done.statuses().values()) == {"ok", "diverged"}
    assert not done.report["problems"]
    for variant in ("from_the_start", "runs_away"):
        assert any(
            variant in note and "loss is not a finite number" in note and "on jax, torch" in note
            for note in done.report["notes"]
        )
    assert 'failures="0"' in (done.out / "junit.xml").read_text().partition("<testsuite ")[0]
    again = portable("matrix", "diverging:everywhere", *several, "--resume")
    assert again.code == 0
    assert "kept 9 cells" in again.errors


def test_numbers_that_are_lost_on_one_backend_are_a_difference_with_its_place(portable, several):
    """The gradient of a standard deviation of equal numbers is NaN on JAX and 0 on PyTorch."""
    done = portable("matrix", "diverging:on_some", "--variant", "constant", *several)
    assert (done.code, done.report["verdict"]) == (1, "differ"), done.output
    assert done.statuses() == {("constant", "jax"): "diverged", ("constant", "torch"): "ok"}
    assert not done.report["problems"]
    (found,) = done.report["explanations"]
    assert (found["backend"], found["kind"], found["step"]) == ("torch", "gradient", 0)
    assert "dense" in found["sentence"]
    assert "it begins in sequential/spread/ops.std (diverging.py:11), as jax" in found["sentence"]
