"""Differences that are known of Keras carry the id of their gap, with the layer or variable."""

import pytest


@pytest.fixture(scope="module")
def found(backends, portable_in, tmp_path_factory):
    if not {"jax", "tensorflow"} <= set(backends):
        pytest.skip("needs JAX and TensorFlow")
    run = portable_in(tmp_path_factory.mktemp("known"))
    return run(
        *("matrix", "known:study", "--backends", "jax,tensorflow", "--steps", "always"),
        *("--replicas", "1", "--most-replicas", "1"),
    )


def of_variant(found, variant):
    assert (found.code, found.report["verdict"]) == (1, "differ"), found.output + found.errors
    assert not found.report["problems"]
    differing = [
        each
        for each in found.report["comparisons"]
        if each["verdict"] == "differs" and each["variant"] == variant and each["level"] == 1
    ]
    (told,) = [each for each in found.report["explanations"] if each["variant"] == variant]
    return differing, told


def test_slices_under_an_adaptive_optimizer_are_its_update(found):
    """Recorded gradients are dense and would hide it: the update is made from what fit makes it from."""
    differing, told = of_variant(found, "words")
    assert {each["kind"] for each in differing} == {"optimizer"}
    assert {each["backend"] for each in differing} == {"tensorflow"}
    assert {each["layer"] for each in differing} == {"sequential/words/embedding/embeddings"}
    assert {each["known_gap"] for each in differing} == {"embedding-adaptive"}
    assert told["kind"] == "optimizer"
    assert "update of sequential/words/embedding/embeddings on tensorflow" in told["sentence"]
    assert "known gap of Keras: embedding-adaptive" in told["sentence"]


def test_a_layer_that_differs_is_looked_up_too(found):
    differing, told = of_variant(found, "normalised")
    first = differing[0]
    assert first["kind"] == "gradient"
    # The steps are judged in float64 on JAX, which is the odd one here.
    assert first["layer"] == "sequential/spectral, as jax computes it"
    assert first["known_gap"] == "spectral-normalization"
    assert "known gap of Keras: spectral-normalization" in told["sentence"]
