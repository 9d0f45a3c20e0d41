"""A row passes when its losses are the reference's and the versions that ran are the row's."""

import dataclasses
import json

import pytest

from backends_matrix.versions import judge_file
from backends_matrix.versions.finding import judge
from backends_matrix.versions.reference import expected
from backends_matrix.versions.rows import Api, Outcome, Row

ROW = Row(
    name="jax-1",
    python="3.11",
    packages=("jax[cpu]==0.10.2", "keras==3.15.1"),
    backend="jax",
    expected=Outcome.WORKS,
)
FAILING = Row(
    name="jax-2",
    python="3.11",
    packages=("jax==0.10.2",),
    backend="jax",
    expected=Outcome.FAILS,
    reason="spmd_mode",
)
INFERENCE = Row(
    name="numpy",
    python="3.11",
    packages=("keras==3.15.1",),
    backend="numpy",
    expected=Outcome.INFERENCE,
)
RIGHT = expected()


def report(**changes):
    trained = {
        "python": "3.11.7",
        "backend": "jax",
        "keras": "keras 3.15.1",
        "untrained": RIGHT.untrained,
        "losses": list(RIGHT.losses),
        "evaluate": RIGHT.evaluate,
        "packages": {"jax": "0.10.2", "Keras": "3.15.1", "numpy": "2.4.6", "six": "1"},
    }
    return {key: value for key, value in (trained | changes).items() if value is not None}


def test_the_references_losses_pass():
    finding = judge(ROW, report())
    assert (finding.outcome, finding.as_expected, finding.detail) == (Outcome.WORKS, True, "")
    assert finding.difference == 0
    assert finding.packages == {"jax": "0.10.2", "keras": "3.15.1", "numpy": "2.4.6"}
    assert finding.python == "3.11.7"


def test_a_difference_within_the_tolerance_passes():
    assert judge(ROW, report(evaluate=RIGHT.evaluate + 0.9 * ROW.tolerance)).as_expected


@pytest.mark.parametrize("quantity", ["untrained", "evaluate"])
def test_a_difference_beyond_the_tolerance_is_found(quantity):
    off = getattr(RIGHT, quantity) + 1.1 * ROW.tolerance
    finding = judge(ROW, report(**{quantity: off}))
    assert (finding.outcome, finding.as_expected) == (Outcome.FAILS, False)
    assert finding.detail.startswith("losses are off by 1.1e-06, 1e-06 allowed: ")


@pytest.mark.parametrize("epoch", [0, 1])
def test_a_wrong_epoch_is_found(epoch):
    losses = list(RIGHT.losses)
    losses[epoch] += 1e-3
    assert not judge(ROW, report(losses=losses)).as_expected


def test_nan_is_found():
    finding = judge(ROW, report(losses=[float("nan"), RIGHT.losses[1]]))
    assert not finding.as_expected
    assert "off by nan" in finding.detail


def test_a_missing_epoch_is_found():
    finding = judge(ROW, report(losses=[RIGHT.losses[0]]))
    assert not finding.as_expected
    assert finding.detail == "1 epochs were trained, 2 expected; the table expects: works"


def test_an_unexpected_error_is_told():
    finding = judge(ROW, {"error": "ImportError: no\n numpy", "packages": report()["packages"]})
    assert (finding.outcome, finding.as_expected) == (Outcome.FAILS, False)
    assert finding.detail == "ImportError: no numpy; the table expects: works"


def test_the_expected_error_passes():
    finding = judge(FAILING, {"error": "no jax.spmd_mode", "packages": {"jax": "0.10.2"}})
    assert (finding.outcome, finding.as_expected) == (Outcome.FAILS, True)


def test_another_error_than_the_expected_one_is_told():
    finding = judge(FAILING, {"error": "out of memory", "packages": {"jax": "0.10.2"}})
    assert not finding.as_expected
    assert finding.detail == "out of memory; the table expects: fails (spmd_mode)"


def test_a_gap_that_has_closed_is_told():
    finding = judge(FAILING, report())
    assert (finding.outcome, finding.as_expected) == (Outcome.WORKS, False)
    assert finding.detail == "it works now; the table expects: fails (spmd_mode)"


def test_inference_only_is_told_from_training():
    inference = report(backend="numpy", losses=None, evaluate=None, fit_error="not implemented")
    assert judge(INFERENCE, inference).as_expected
    assert not judge(INFERENCE, report(backend="numpy")).as_expected
    assert not judge(ROW, inference | {"backend": "jax"}).as_expected


def test_another_backend_than_the_rows_is_told():
    finding = judge(ROW, report(backend="tensorflow"))
    assert not finding.as_expected
    assert finding.detail == "ran on the tensorflow backend, the row asks for jax"


def test_another_keras_than_the_rows_is_told():
    legacy = dataclasses.replace(ROW, api=Api.LEGACY)
    finding = judge(legacy, report())
    assert not finding.as_expected
    assert finding.detail == "tf_keras is keras 3.15.1, the row asks for tf_keras"
    assert judge(legacy, report(keras="tf_keras 2.21.0")).as_expected


@pytest.mark.parametrize(
    ("packages", "message"),
    [
        ({"jax": "0.9.0", "keras": "3.15.1"}, "ran with jax 0.9.0, the row asks for 0.10.2"),
        ({"jax": "0.10.2"}, "ran with keras nothing, the row asks for 3.15.1"),
    ],
)
def test_other_versions_than_the_rows_are_told(packages, message):
    finding = judge(ROW, report(packages=packages))
    assert not finding.as_expected
    assert finding.detail == message


def test_a_build_of_the_asked_release_passes():
    assert judge(ROW, report(packages={"jax": "0.10.2+cpu", "keras": "3.15.1"})).as_expected


@pytest.mark.parametrize("text", [None, '{"losses": ['])
def test_without_a_whole_report_a_row_could_not_be_run(tmp_path, text):
    if text:
        (tmp_path / "report.json").write_text(text, encoding="utf-8")
    finding = judge_file(ROW, tmp_path / "report.json")
    assert (finding.outcome, finding.as_expected) == (None, False)
    assert "ended without a report" in finding.detail


def test_a_report_is_read_from_its_file(tmp_path):
    (tmp_path / "report.json").write_text(json.dumps(report()), encoding="utf-8")
    assert judge_file(ROW, tmp_path / "report.json").as_expected
