"""Trainings that draw numbers from outside of Keras are no agreement and no difference of backends."""

import pytest


@pytest.fixture(scope="module")
def outside(portable_in, tmp_path_factory, backends):
    if "torch" not in backends or len(backends) == 1:
        pytest.skip("needs PyTorch and another backend")
    other = next(each for each in backends if each != "torch")
    portable = portable_in(tmp_path_factory.mktemp("outside"))
    return portable("matrix", "outside:outside", "--backends", f"{other},torch", "--replicas", "0")


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ("numpy", "the first layer that does not repeat is sequential/numpy_noise"),
        ("python", "the first layer that does not repeat is sequential/python_noise"),
        ("loss", "gave different results (loss, "),
    ],
)
def test_what_does_not_repeat_is_named_and_nothing_is_said_of_backends(outside, variant, words):
    (found,) = [each for each in outside.report["problems"] if each["variant"] == variant]
    assert "the training is not reproducible by itself" in found["reason"]
    assert words in found["reason"]
    verdicts = {
        each["verdict"] for each in outside.report["comparisons"] if each["variant"] == variant
    }
    assert verdicts == {"undecidable"}


def test_a_draw_from_keras_is_none_from_outside(outside):
    assert (outside.code, outside.report["verdict"]) == (3, "error")
    assert not [each for each in outside.report["problems"] if each["variant"] == "sound"]
    verdicts = {
        each["verdict"] for each in outside.report["comparisons"] if each["variant"] == "sound"
    }
    assert verdicts == {"agrees"}
