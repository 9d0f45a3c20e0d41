"""Findings for programs: JSON, and annotations of GitHub Actions."""

from __future__ import annotations

import json

from backends_matrix.lint.rule import RULES
from backends_matrix.lint.run import RunResult


def render_json(result: RunResult) -> str:
    """A list of ``{"path", "line", "column", "rule", "message", "hint", "fix"}``.

    ``fix`` is null, or ``{"title", "safe", "edits", "imports"}``; ``end_line`` and ``end_column`` are there
    too.
    """
    return json.dumps([each.as_json() for each in result.findings], indent=1)


def render_github(result: RunResult) -> str:
    """One workflow command for each finding.

    Format: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    lines = []
    for each in result.findings:
        place = f"file={_property(each.path)},line={each.line},endLine={each.end_line},col={each.column}"
        if each.end_line == each.line:
            place += f",endColumn={each.end_column}"
        title = _property(f"{each.rule} {RULES[each.rule].name}")
        lines.append(f"::error {place},title={title}::{_data(f'{each.message}. {each.hint}')}")
    lines += [
        f"::error file={_property(path)},line={line}::{_data(reason)}"
        for path, line, reason in result.errors
    ]
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
