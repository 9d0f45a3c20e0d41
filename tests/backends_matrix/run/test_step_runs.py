"""What kind of difference it is, found by whole runs."""

import pytest


@pytest.mark.parametrize(
    ("fault", "kind", "layer"),
    [
        ("rho", "optimizer", "sequential/dense"),
        ("smoothed_labels", "loss", ""),
        ("dense_scale", "forward", "sequential/dense"),
    ],
)
def test_a_planted_fault_is_explained(portable, backends, fault, kind, layer):
    if len(backends) == 1:
        pytest.skip("one backend alone has none to differ from")
    faulty = backends[-1]
    done = portable(
        *("matrix", "misbehaving:sound", "--backends", f"{backends[0]},{faulty}"),
        *("--variant", "plain", "--setup", f"{faulty}=faults:{fault}"),
        *("--replicas", "1", "--most-replicas", "1"),
    )
    assert (done.code, done.report["verdict"]) == (1, "differ")
    (found,) = done.report["explanations"]
    assert (found["backend"], found["kind"], found["step"]) == (faulty, kind, 0)
    output = " ".join(done.output.split())
    assert f"{kind}: " in output
    metrics = [each for each in done.report["comparisons"] if each["level"] == 2]
    assert {each["kind"] for each in metrics if each["verdict"] == "differs"} == {kind}
    steps = [each for each in done.report["comparisons"] if each["level"] == 1]
    wrong = [each for each in steps if each["verdict"] == "differs"]
    if kind == "optimizer":
        # The place is the variable, which the sentence names already.
        assert all(each["layer"].startswith(layer) for each in wrong)
        assert f"update of {wrong[0]['layer']} on {faulty}" in output
    else:
        assert {each["layer"] for each in wrong if each["quantity"] != "update"} <= {layer, ""}
        assert any(each["layer"] == layer for each in wrong)
        assert (f"it begins in {layer})" in output) == bool(layer)
    assert "portable matrix misbehaving:sound --variant plain" in output


def test_backends_that_differ_by_definition_are_told_apart(portable, backends):
    """JAX has the slope 1 of LeakyReLU at zero; TensorFlow and PyTorch have the negative slope."""
    if "jax" not in backends or len(backends) == 1:
        pytest.skip("needs JAX and another backend")
    done = portable(
        *("matrix", "misbehaving:kinked", "--backends", ",".join(sorted(backends))),
        *("--replicas", "1", "--most-replicas", "1"),
    )
    assert (done.code, done.report["verdict"]) == (1, "differ")
    explained = {each["backend"]: each for each in done.report["explanations"]}
    assert set(explained) == set(backends) - {"jax"}
    for each in explained.values():
        assert each["kind"] == "gradient"
        assert "dense" in each["sentence"]  # the layer below the kink
        # Of the float64 judge and the backends, JAX is the odd one out.
        assert "it begins in leaky_re_lu, as jax computes it" in each["sentence"]


def test_a_variance_that_loses_digits_is_found(portable, backends):
    """Keras 3.15 on PyTorch takes the variance as E[x^2] - E[x]^2; JAX and TensorFlow from the deviations."""
    if set(backends) < {"jax", "torch"}:
        pytest.skip("needs JAX and PyTorch")
    done = portable(
        *("matrix", "misbehaving:far_from_zero", "--backends", "jax,torch"),
        *("--replicas", "1", "--most-replicas", "1", "--steps", "always"),
    )
    assert done.code == 1, done.output
    (found,) = done.report["explanations"]
    assert (found["backend"], found["kind"]) == ("torch", "forward")


def test_sound_steps_agree_where_they_are_asked_for(portable, backends):
    done = portable(
        *("matrix", "misbehaving:sound", "--backends", ",".join(backends)),
        *("--replicas", "1", "--steps", "always"),
    )
    several = len(backends) > 1
    assert done.report["verdict"] == ("agree" if several else "ran"), done.output
    steps = [each for each in done.report["comparisons"] if each["level"] == 1]
    assert {each["backend"] for each in steps} == (set(backends) if several else set())
    # The largest share of its tolerance that a sound step takes.
    assert max((each["difference"] / each["tolerance"] for each in steps), default=0.0) < 0.5
