"""Findings for people: place, message, the line of source, and what to write instead."""

from __future__ import annotations

from pathlib import Path

from backends_matrix.lint.project import read_text
from backends_matrix.lint.rule import RULES
from backends_matrix.lint.run import RunResult
from backends_matrix.report.records import showable


def render(result: RunResult) -> str:
    """All findings and a summary."""
    parts: list[str] = []
    sources: dict[str, list[str]] = {}
    for finding in result.findings:
        if finding.path not in sources:
            sources[finding.path] = read_text(Path(finding.path)).split("\n")
        lines = sources[finding.path]
        line = lines[finding.line - 1] if finding.line <= len(lines) else ""
        name = RULES[finding.rule].name
        parts.append(
            f"{finding.path}:{finding.line}:{finding.column}: {finding.rule} {finding.message} [{name}]"
        )
        parts.append(f"    {showable(line.strip())}")
        indent = len(line) - len(line.lstrip())
        start = max(0, finding.column - 1 - indent)
        end = (
            finding.end_column - 1 - indent
            if finding.end_line == finding.line
            else len(line.strip())
        )
        parts.append("    " + " " * start + "^" * max(1, end - start))
        mark = ""
        if finding.fix is not None:
            mark = " [--fix]" if finding.fix.safe else " [--fix --unsafe-fixes]"
        parts.append(f"    {finding.hint}{mark}")
    parts.append(summary(result))
    return "\n".join(parts)


def summary(result: RunResult) -> str:
    """One line: how much was read and found."""
    count = len(result.findings)
    text = f"{result.files} file{'s' * (result.files != 1)}, {count} finding{'s' * (count != 1)}"
    fixable = sum(each.fix is not None and each.fix.safe for each in result.findings)
    if fixable:
        text += f", {fixable} of them mended by --fix"
    if result.silenced:
        text += f", {result.silenced} silenced by comments"
    if result.errors:
        text += f", {len(result.errors)} files could not be read"
    return text


def statistics(result: RunResult) -> str:
    """Number of findings for each rule."""
    lines = [
        f"{count:6d}  {code}  {RULES[code].name}: {RULES[code].summary}"
        for code, count in result.statistics
    ]
    return "\n".join([*lines, summary(result)])
