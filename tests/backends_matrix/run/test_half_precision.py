"""Level 1 where models compute in half precision: what is sound passes, what is faulty is found."""

import subprocess
import sys

import pytest

STUDY = "half_precision:study"
POLICIES = ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16")
KINDS = {"outputs", "loss", "statistics", "gradient", "update", "metric"}


def single_steps(done, variant):
    return [
        each
        for each in done.report["comparisons"]
        if (each["level"], each["variant"]) == (1, variant)
    ]


@pytest.fixture(scope="module")
def all_policies(portable_in, backends, tmp_path_factory):
    """One run for all: most of its time is the start of the workers."""
    if len(backends) == 1:
        pytest.skip("one backend alone is not compared")
    variants = [word for policy in POLICIES for word in ("--variant", policy)]
    return portable_in(tmp_path_factory.mktemp("policies"))(
        *("matrix", STUDY, "--backends", ",".join(backends), *variants, "--epochs", "2"),
        *("--replicas", "0", "--steps", "always"),
    )


@pytest.mark.thorough
@pytest.mark.parametrize("policy", POLICIES)
def test_a_sound_step_passes_on_every_backend(all_policies, backends, policy):
    found = single_steps(all_policies, policy)
    assert not all_policies.report["problems"], all_policies.output
    assert {each["backend"] for each in found} == set(backends)
    assert {each["quantity"] for each in found} == KINDS
    assert {each["reference"] for each in found} == {"float64"}
    assert {each["verdict"] for each in found} == {"agrees"}
    # States after 0 and 1 steps, and at the end of both epochs.
    assert len({each["step"] for each in found}) == 4


@pytest.mark.thorough
@pytest.mark.parametrize("policy", POLICIES)
def test_the_judge_computes_in_float64_whatever_is_asked_for(policy):
    program = (
        "import keras\n"
        "from backends_matrix.judge.double_precision import compute_in_float64\n"
        "compute_in_float64()\n"
        f"own = keras.layers.Dense(1, dtype={policy!r})\n"
        f"keras.config.set_dtype_policy({policy!r})\n"
        "model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1), own])\n"
        "model.compile('sgd', 'mse')\n"
        "kinds = {each.dtype for each in model.variables}\n"
        "print(own.compute_dtype, model.dtype_policy.name, *kinds, type(model.optimizer).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    wrapped = "LossScaleOptimizer" if policy == "mixed_float16" else "SGD"
    assert done.stdout.split() == ["float64", policy, "float64", wrapped], done.stderr


@pytest.mark.parametrize(
    ("fault", "kind"),
    [pytest.param("rho", "optimizer", marks=pytest.mark.thorough), ("dense_doubled", "forward")],
)
def test_a_planted_fault_is_found(portable, backends, fault, kind):
    if len(backends) == 1:
        pytest.skip("one backend alone has none to differ from")
    faulty = backends[-1]
    done = portable(
        *("matrix", STUDY, "--backends", f"{backends[0]},{faulty}", "--variant", "mixed_bfloat16"),
        *("--setup", f"{faulty}=faults:{fault}", "--epochs", "2"),
        *("--replicas", "0", "--steps", "always"),
    )
    assert done.code == 1, done.output
    steps = [each for each in single_steps(done, "mixed_bfloat16") if each["verdict"] == "differs"]
    assert {each["backend"] for each in steps} == {faulty}
    (found,) = done.report["explanations"]
    assert (found["backend"], found["kind"]) == (faulty, kind)
