"""The findings on the versions table: kept as JSON, shown as a page of the documentation."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from backends_matrix.versions.finding import Finding
from backends_matrix.versions.rows import Outcome, Row, Table

VERIFIED = Path(__file__).parent / "verified.json"
SCHEMA = 1

_HEAD = """# Versions

Which versions of Keras and of a backend work together: run, not believed. A row installs the versions that it
names in an environment of their own and trains one small network with fixed numbers. Its losses must be those
of the same training in float64 (`backends_matrix/versions/reference.py`) to six decimals.

This page is written by `nox -s "versions(ROW)"` and `portable versions verify --record`. Do not edit it: the
rows are in `versions.toml` and what was found in `verified.json`, both in `backends_matrix/versions`.
"""


def read_verified(path: Path = VERIFIED) -> dict[str, Finding]:
    """The findings so far, by row.

    Raises:
        ValueError: the file is of another schema than this version of the project writes.
    """
    return {
        name: Finding(
            row=name, **given | {"outcome": given["outcome"] and Outcome(given["outcome"])}
        )
        for name, given in read_findings(path, SCHEMA).items()
    }


def read_findings(path: Path, schema: int) -> dict[str, Any]:
    """The findings in a file, by row; none where it is not there.

    Raises:
        ValueError: the file is of another schema than this version of the project writes.
    """
    if not path.exists():
        return {}
    document = json.loads(path.read_text(encoding="utf-8"))
    if document.get("schema") != schema:
        raise ValueError(
            f"{path.name} has the schema {document.get('schema')!r}, expected {schema}: "
            "remove it and verify again"
        )
    found: dict[str, Any] = document["findings"]
    return found


def write_verified(findings: Iterable[Finding], path: Path = VERIFIED) -> dict[str, Finding]:
    """Put new findings in the place of earlier ones of the same rows.

    Returns:
        All findings, by row.
    """
    merged = read_verified(path) | {finding.row: finding for finding in findings}
    write_findings(merged, path, SCHEMA)
    return merged


def write_findings(findings: Mapping[str, Any], path: Path, schema: int) -> None:
    """Write dataclasses with a field ``row``, by row, to a file that is there whole or not at all."""
    plain = {name: dataclasses.asdict(findings[name]) for name in sorted(findings)}
    for given in plain.values():
        del given["row"]
    text = json.dumps({"schema": schema, "findings": plain}, indent=1, ensure_ascii=False)
    part = path.with_suffix(".part")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)


def page(table: Table, findings: Mapping[str, Finding]) -> str:
    """The documentation's page on versions, in Markdown."""
    return "\n".join(
        [
            _HEAD,
            "## What is published, and what was found\n",
            *_lines(("claim", "row", "expected", "found"), _claims(table, findings)),
            "\n## In which versions of Keras a framework works\n",
            *_lines(
                ("framework", "extent"), ((name, str(each)) for name, each in table.extents.items())
            ),
            "\n## Every row\n",
            *_lines(
                ("row", "installed", "found", "off by", "verified"),
                (_every(row, findings.get(row.name)) for row in table.rows.values()),
            ),
            "",
        ]
    )


def _lines(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    head = list(heads)
    return [_line(head), _line("---" for _ in head), *map(_line, rows)]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _claims(table: Table, findings: Mapping[str, Finding]) -> Iterable[tuple[str, ...]]:
    for row in table.rows.values():
        if row.claim:
            found = findings.get(row.name)
            yield row.claim, f"`{row.name}`", _expectation(row), _found(found, row)


def _every(row: Row, finding: Finding | None) -> tuple[str, ...]:
    installed = ", ".join(
        [f"`{each}`" for each in row.packages]
        + [f"`--no-deps {each}`" for each in row.without_dependencies]
        + [f"`{name}={value}`" for name, value in row.env.items()]
    )
    notes = f" ({row.size})" if row.size else ""
    if finding is None:
        return f"`{row.name}`", installed + notes, "not verified yet", "", ""
    off = "" if finding.difference is None else f"{finding.difference:.0e}"
    where = f"{finding.date}, {finding.platform}, Python {finding.python}"
    return f"`{row.name}`", installed + notes, _found(finding, row), off, where


def _expectation(row: Row) -> str:
    return f"{row.expected}: {row.reason}" if row.reason else str(row.expected)


def _found(finding: Finding | None, row: Row) -> str:
    if finding is None:
        return "not verified yet"
    outcome = str(finding.outcome) if finding.outcome else "could not be run"
    surprise = "" if finding.as_expected else " (**not as expected**)"
    # No more is claimed of a library than was tried.
    if finding.outcome is Outcome.WORKS and row.imports:
        outcome = "imports beside a training that works"
    return outcome + surprise + (f": {_short(finding.detail)}" if finding.detail else "")


def _short(detail: str, length: int = 160) -> str:
    return detail if len(detail) <= length else detail[: length - 1] + "…"
