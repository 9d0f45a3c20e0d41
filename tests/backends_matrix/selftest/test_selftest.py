"""The verifier is verified: a smaller set of what ``portable selftest`` plants."""

import inspect
import json

import pytest

from backends_matrix.judge.explanation import MEANING
from backends_matrix.selftest import faults, layer_faults
from backends_matrix.selftest.catalogue import FAULTS, UNREPEATABLE
from backends_matrix.selftest.outcome import CleanOutcome, FaultOutcome, Outcome


def test_every_fault_of_the_catalogue_can_be_planted_and_named():
    assert len(FAULTS) == len({fault.name for fault in FAULTS}) >= 50
    for fault in FAULTS:
        assert fault.kind in {*MEANING, UNREPEATABLE}
    for module in (faults, layer_faults):
        planted = {
            name
            for name, each in vars(module).items()
            if inspect.isfunction(each) and each.__module__ == module.__name__
        }
        short = module.__name__.rpartition(".")[2]
        named = {fault.name for fault in FAULTS if fault.module == short}
        assert {name for name in planted if not name.startswith("_")} == named


@pytest.mark.parametrize(
    ("kind", "said", "right"),
    [
        ("forward", "it begins in sequential/lstm", True),
        ("forward", "it begins in sequential/dense", False),
        ("gradient", "it begins in sequential/lstm", False),
        ("", "", False),
    ],
)
def test_kind_and_place_must_be_right(kind, said, right):
    fault = next(each for each in FAULTS if each.place == "lstm" and each.kind == "forward")
    assert FaultOutcome(fault, kind, said=said).right == right


def outcome(kind, alarms=()):
    fault = FaultOutcome(FAULTS[0], kind, (1,) if kind else ())
    return Outcome("jax", "torch", [fault], [CleanOutcome("adam", "torch", 0, 10, alarms, 0.1)])


@pytest.mark.parametrize(
    ("kind", "alarms", "passed"),
    [
        ("optimizer", (), True),
        ("loss", (), False),
        ("", (), False),
        ("optimizer", ("loss",), False),
    ],
)
def test_it_passes_if_all_is_named_right_and_nothing_else_is_said(kind, alarms, passed):
    assert outcome(kind, alarms).passed == passed


@pytest.mark.thorough
def test_planted_faults_are_found_and_clean_trainings_are_clean(portable, backends, tmp_path):
    if len(backends) == 1:
        done = portable("selftest")
        assert done.code == 3
        assert "needs two backends" in done.errors
        return
    file = tmp_path / "found.json"
    chosen = (
        *("weight_decay", "norm_stale", "short_mantissa", "averaged_over_batches"),
        *("layer_norm_backwards", "gradient_lost", "numpy_random"),
    )
    done = portable(
        *("selftest", "--backends", f"{backends[0]},{backends[-1]}", "--seeds", "1"),
        *(word for name in chosen for word in ("--fault", name)),
        *("--json", str(file)),
    )
    assert done.code == 0, done.output + done.errors
    found = json.loads(file.read_text())
    assert {each["fault"]["name"]: each["kind"] for each in found["faults"]} == {
        "weight_decay": "optimizer",
        "norm_stale": "statistics",
        "short_mantissa": "forward",
        "averaged_over_batches": "metric",
        "layer_norm_backwards": "gradient",
        "gradient_lost": "gradient",
        "numpy_random": "unrepeatable",
    }
    assert len(found["clean"]) == len({fault.variant for fault in FAULTS})
    assert not any(each["alarms"] for each in found["clean"])
    assert "7 of 7 faults" in done.output
