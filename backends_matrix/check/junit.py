"""JUnit XML: a suite for each target, a test case for each check."""

from __future__ import annotations

from xml.etree import ElementTree

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from backends_matrix.check.result import Check, CheckReport, Kind, Status
from backends_matrix.report.records import showable


def render(report: CheckReport) -> str:
    """The report as JUnit XML. A target on which nothing ran has a case that fails."""
    xml = JUnitXml("portable check")
    for target in report.targets:
        suite = TestSuite(showable(target.target))
        for check in target.checks:
            suite.add_testcase(_case(check, target.target))
        verdict = TestCase("verdict", showable(target.target), target.seconds)
        if target.verdict == "error":
            verdict.result = [Error(showable(target.reason or "nothing was checked"), "error")]
        suite.add_testcase(verdict)
        xml.add_testsuite(suite)
    xml.update_statistics()
    root = ElementTree.fromstring(xml.tostring())
    ElementTree.indent(root)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        + ElementTree.tostring(root, encoding="unicode")
        + "\n"
    )


def _case(check: Check, target: str) -> TestCase:
    case = TestCase(f"{check.name} [{check.backend}]", showable(target), check.seconds)
    text = showable(describe(check))
    if check.status is Status.SKIP or check.status is Status.EXPECTED:
        case.result = [Skipped(text)]
    elif check.status is Status.FAIL:
        kind = Error if check.kind is Kind.HARNESS else Failure
        case.result = [kind(text, str(check.kind or "failure"))]
    elif check.difference is not None:
        case.system_out = (
            f"difference {check.difference:.3g}, tolerance {check.tolerance or 0.0:.3g}"
        )
    return case


def describe(check: Check) -> str:
    """One check's finding in one paragraph."""
    parts = [f"{check.kind}: {check.cause}" if check.kind else check.cause]
    if check.layer:
        parts.append(f"layer {check.layer}")
    if check.line:
        parts.append(f"{check.file}:{check.line}")
    if check.difference is not None:
        parts.append(f"difference {check.difference:.3g}, tolerance {check.tolerance or 0.0:.3g}")
    if check.hint:
        parts.append(f"instead: {check.hint}")
    return "; ".join(part for part in parts if part)
