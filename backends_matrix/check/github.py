"""GitHub annotations: a failure at its line of a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from backends_matrix.check.junit import describe
from backends_matrix.check.result import CheckReport, Status
from backends_matrix.report.records import showable


def github_annotations(report: CheckReport) -> Iterator[str]:
    """One workflow command for each place that fails.

    The format is described at
    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands.
    """
    seen: set[tuple[str, int | None, str]] = set()
    for target in report.targets:
        for check in target.failures:
            place = (check.file or target.target, check.line, check.layer)
            if place in seen:
                continue
            seen.add(place)
            values = {"title": f"portable check: {check.name} on {check.backend}"}
            file = check.file or (target.target if target.target.endswith(".py") else "")
            if file:
                values["file"] = _relative(file)
            if check.line:
                values["line"] = str(check.line)
            settings = ",".join(f"{key}={_property(value)}" for key, value in values.items())
            yield f"::error {settings}::{_message(describe(check))}"
        if target.verdict == "error" and not any(c.status is Status.FAIL for c in target.checks):
            yield f"::error title=portable check::{_message(f'{target.target}: {target.reason}')}"


def _relative(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def _message(text: str) -> str:
    return str(showable(text)).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
