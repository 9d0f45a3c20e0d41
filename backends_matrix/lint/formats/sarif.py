"""Findings as SARIF 2.1.0, https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from backends_matrix.lint.finding import Edit, Finding
from backends_matrix.lint.rule import RULES, Rule
from backends_matrix.lint.run import RunResult
from backends_matrix.own_version import own_version

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(result: RunResult) -> str:
    """One run, with the rules that found something, the results, and what could not be read."""
    codes = sorted({each.rule for each in result.findings})
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "portable lint",
                "version": own_version(),
                "rules": [_rule(RULES[code]) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, codes.index(each.rule)) for each in result.findings],
        "invocations": [
            {
                "executionSuccessful": not result.errors,
                "toolExecutionNotifications": [
                    {
                        "level": "error",
                        "message": {"text": reason},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": _artifact(path),
                                    "region": {"startLine": line},
                                }
                            }
                        ],
                    }
                    for path, line, reason in result.errors
                ],
            }
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1)


def _artifact(path: str) -> dict[str, str]:
    given = Path(path)
    return {"uri": given.as_uri() if given.is_absolute() else quote(given.as_posix())}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": "".join(part.capitalize() for part in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.hint},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": [rule.group]},
    }


def _region(edit: Edit | Finding) -> dict[str, int]:
    start = (
        (edit.start_line, edit.start_column) if isinstance(edit, Edit) else (edit.line, edit.column)
    )
    return {
        "startLine": start[0],
        "startColumn": start[1],
        "endLine": edit.end_line,
        "endColumn": edit.end_column,
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": "error",
        "message": {"text": f"{finding.message}. {finding.hint}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(finding.path),
                    "region": _region(finding),
                }
            }
        ],
    }
    # An import that a fix needs has no place of its own in SARIF; such fixes are left to --fix.
    if finding.fix is not None and not finding.fix.imports:
        found["fixes"] = [
            {
                "description": {"text": finding.fix.title},
                "artifactChanges": [
                    {
                        "artifactLocation": _artifact(finding.path),
                        "replacements": [
                            {"deletedRegion": _region(each), "insertedContent": {"text": each.text}}
                            for each in finding.fix.edits
                        ],
                    }
                ],
            }
        ]
    return found
