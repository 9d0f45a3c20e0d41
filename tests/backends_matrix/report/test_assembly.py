"""The verdict of a run: nothing that was not decided is agreement."""

import pytest

from backends_matrix.judge.comparison import Agreement, Comparison
from backends_matrix.report.assembly import EXIT_CODES, build_document, decide_verdict
from backends_matrix.report.matrix_report import MatrixReport
from backends_matrix.report.records import parse
from backends_matrix.run.cell import Cell
from backends_matrix.run.result import CellResult, Status
from backends_matrix.run.settings import MatrixSettings
from backends_matrix.run.state import RunState


def result(backend, status=Status.OK, replica=0):
    cell = Cell(experiment="study", variant="plain", backend=backend, replica=replica)
    outcome = {"history": {"loss": [0.5]}, "final": {}, "digests": {"data": "a"}}
    return CellResult(cell, status, outcome=outcome if status is Status.OK else {})


def comparison(verdict, level=2, backend="torch", variant="plain"):
    return Comparison(
        level, "study", variant, "loss", 1, "jax", backend, "numpy", 0.0, 1.0, 0.0, verdict, ""
    )


AGREES, DIFFERS, UNDECIDABLE = Agreement.AGREES, Agreement.DIFFERS, Agreement.UNDECIDABLE
BOTH = [result("jax"), result("torch")]
DIGEST = comparison(AGREES, level=0)


@pytest.mark.parametrize(
    ("results", "comparisons", "changes", "verdict"),
    [
        (BOTH, [DIGEST, comparison(AGREES)], {}, "agree"),
        (BOTH, [DIGEST, comparison(AGREES), comparison(UNDECIDABLE)], {}, "agree"),
        (BOTH, [DIGEST, comparison(DIFFERS)], {}, "differ"),
        (BOTH, [DIGEST, comparison(UNDECIDABLE)], {}, "undecidable"),
        (BOTH, [comparison(UNDECIDABLE)], {}, "undecidable"),
        (BOTH, [DIGEST], {}, "undecidable"),
        (BOTH, [], {}, "undecidable"),
        (BOTH, [comparison(AGREES), comparison(UNDECIDABLE, backend="x")], {}, "undecidable"),
        ([], [], {}, "error"),
        ([result("jax")], [], {}, "ran"),
        ([result("jax"), result("jax", replica=1)], [], {}, "ran"),
        ([result("jax"), result("torch", Status.CRASHED)], [], {}, "error"),
        ([*BOTH, result("x", Status.FAILED)], [comparison(DIFFERS)], {}, "differ"),
        (BOTH, [comparison(AGREES)], {"interrupted": "SIGTERM"}, "error"),
        (BOTH, [comparison(AGREES)], {"irreproducible": {("study", "plain"): "x"}}, "error"),
        (BOTH, [comparison(AGREES)], {"without_steps": {BOTH[0].cell: "x"}}, "error"),
        (BOTH, [comparison(AGREES)], {"descriptions": {"a": {"error": "no data"}}}, "error"),
    ],
)
def test_the_verdict(results, comparisons, changes, verdict):
    assert decide_verdict(RunState(**changes), results, comparisons) == verdict


def test_one_is_the_exit_code_of_a_difference_only():
    assert [verdict for verdict, code in EXIT_CODES.items() if code == 1] == ["differ"]
    assert EXIT_CODES["undecidable"] == 3


def test_what_is_not_reproducible_is_judged_no_further(tmp_path):
    ours, theirs = result("jax"), result("torch")
    theirs.outcome["digests"]["data"] = "b"
    described = {"name": "study", "title": "", "description": "", "variants": [], "figures": []}
    state = RunState(
        descriptions={"study": {**described, "claims": [], "data": None}},
        cells=[ours.cell, theirs.cell],
        results={each.cell: each for each in (ours, theirs)},
        irreproducible={("study", "plain"): "it differs from itself"},
    )
    document = build_document(state, MatrixSettings(out=tmp_path), "jax", [])
    report = MatrixReport(document, parse(document))
    assert (report.verdict, report.exit_code) == ("error", 3)
    assert {each.verdict.value for each in report.records.comparisons} == {"undecidable"}
    assert [each.reason for each in report.records.problems] == ["it differs from itself"]
