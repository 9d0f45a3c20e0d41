"""``junit.xml``: the report for a CI server, one suite per experiment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from backends_matrix.report.headline import headline
from backends_matrix.report.overview import ClaimRow, claim_rows, measured_lines
from backends_matrix.report.problems import difference_text, problem_lines
from backends_matrix.report.records import Cell, Comparison, Experiment, Report, Verdict, parse
from backends_matrix.report.tally import Tally, grouped, made_text, summed
from backends_matrix.report.wording import count, measured_against

FILE_NAME = "junit.xml"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def render(document: Mapping[str, Any]) -> str:
    """The JUnit XML of a report.

    A suite holds one test case per cell (replicas too: a lost one widens nothing, but is lost), one
    per quantity that was compared, and, on full data, one per published finding. Last comes a suite
    with the verdict itself, so that the file is red whenever the verdict is not agreement.

    Args:
        document: a valid document (see :func:`~backends_matrix.report.validate`).
    """
    report = parse(document)
    xml = JUnitXml("backends_matrix")
    for experiment in report.experiments.values():
        suite = TestSuite(experiment.name)
        suite.timestamp = report.created
        if experiment.data is not None:
            suite.add_property("data", experiment.data.kind)
            suite.add_property("synthetic", str(experiment.synthetic).lower())
        for case in _cases(report, experiment):
            suite.add_testcase(case)
        xml.add_testsuite(suite)
    suite = TestSuite("verdict")
    suite.timestamp = report.created
    suite.add_testcase(_verdict_case(report))
    xml.add_testsuite(suite)
    xml.update_statistics()
    root = ElementTree.fromstring(xml.tostring())
    ElementTree.indent(root)
    return _DECLARATION + ElementTree.tostring(root, encoding="unicode") + "\n"


def _cases(report: Report, experiment: Experiment) -> Iterator[TestCase]:
    for cell in report.cells:
        if cell.experiment == experiment.name:
            yield _cell_case(cell, report)
    compared = [entry for entry in report.comparisons if entry.experiment == experiment.name]
    quantities = grouped(compared, lambda entry: (entry.level, entry.variant, entry.quantity))
    for (level, variant, quantity), group in quantities.items():
        name = f"{variant}: {quantity} (level {level})"
        yield _comparison_case(f"{experiment.name}.comparisons", name, group)
    if experiment.data is not None and experiment.data.kind == "full":
        for row in claim_rows(report):
            if row.experiment == experiment.name:
                yield _claim_case(row)


def _cell_case(cell: Cell, report: Report) -> TestCase:
    name = f"{cell.variant} on {cell.backend} ({cell.pipeline}, {cell.device}, {cell.engine})"
    if cell.replica:
        name += f", replica {cell.replica}"
    case = TestCase(name, f"{cell.experiment}.cells", cell.seconds)
    reason = f"{cell.status}: {cell.reason}"
    match cell.status:
        case "ok":
            if cell.reason:
                case.system_out = cell.reason
        case "interrupted":
            case.result = [Skipped(reason)]
        case "diverged" if not cell.is_failure(report.compared):
            case.system_out = cell.reason
        case "failed" | "diverged" | "invalid":
            case.result = [Failure(reason, cell.status)]
        case _:
            case.result = [Error(reason, cell.status)]
    return case


def _comparison_case(classname: str, name: str, group: list[Comparison]) -> TestCase:
    case = TestCase(name, classname)
    agreement = summed(group)
    summary = _summary(agreement)
    if agreement.first is not None:
        failure = Failure(difference_text(agreement.first, with_pipeline=True), "differs")
        failure.text = summary
        case.result = [failure]
    elif agreement.verdict is Verdict.UNDECIDABLE:
        case.result = [Skipped(f"undecidable: {summary}")]
    else:
        case.system_out = summary
    return case


def _summary(agreement: Tally) -> str:
    parts = [count(agreement.made, "comparison")]
    if agreement.differing:
        parts.append(count(agreement.differing, "differs", "differ"))
    if agreement.undecidable:
        start = f" from epoch {agreement.undecidable_from}" if agreement.undecidable_from else ""
        parts.append(f"{agreement.undecidable} undecidable{start}")
    if agreement.worst is not None:
        worst = agreement.worst
        at = "" if worst.epoch is None else f" at epoch {worst.epoch}"
        parts.append(f"worst {measured_against(worst)}{at} on {worst.backend} ({worst.pipeline})")
        if worst.why:
            parts.append(f"tolerance: {worst.why}")
    return "; ".join(parts)


def _claim_case(row: ClaimRow) -> TestCase:
    case = TestCase(row.statement, f"{row.experiment}.claims")
    told = "; ".join(
        [f"holds: {row.text}", f"published: {row.published}", *filter(None, measured_lines(row))]
    )
    required = any(claim.required for claim in row.findings.values())
    if row.holds is None:
        case.result = [Skipped(told)]
    elif required and not row.holds:
        case.result = [Failure(told, "claim")]
    else:
        # A finding that does not hold is news, not a fault of a backend: it does not change the verdict.
        case.system_out = told
    return case


def _verdict_case(report: Report) -> TestCase:
    case = TestCase(headline(report), "verdict")
    details = "\n".join(
        [made_text(report.comparisons), *(line.text for line in problem_lines(report))]
    )
    if report.verdict in ("differ", "undecidable", "error"):
        kind = Failure if report.verdict == "differ" else Error
        result = kind(headline(report), report.verdict)
        result.text = details
        case.result = [result]
    else:
        case.system_out = details
    return case
