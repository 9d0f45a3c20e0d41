"""Failures that are expected, each with a reason."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from backends_matrix.check.result import Check, Kind, Status
from backends_matrix.plan import CallError


def read_expected(path: Path) -> dict[str, str]:
    """Read ``--expected FILE``: a TOML table ``[expected]`` of check, or check@backend, to the reason.

    Raises:
        CallError: the file is not that.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CallError(f"--expected {path}: {error}") from error
    table = document.get("expected", document)
    if not isinstance(table, dict) or not all(isinstance(each, str) for each in table.values()):
        raise CallError(
            f'--expected {path}: expected lines such as "gradients@torch" = "reason" below [expected]'
        )
    return {str(key): str(value) for key, value in table.items()}


def apply_expectations(
    checks: Iterable[Check], expected: Mapping[str, str], *, strict: bool
) -> list[Check]:
    """Failures that were expected become ``expected``; with ``strict``, what passes against it fails.

    Args:
        checks: what was found.
        expected: ``check``, ``check@backend`` or the id of a known gap, to the reason.
        strict: an expectation that no failure meets is a failure itself.
    """
    met: set[str] = set()
    found: list[Check] = []
    for each in checks:
        keys = (each.name, f"{each.name}@{each.backend}", each.known_gap or "\0")
        key = next((key for key in keys if key in expected), None)
        if key is not None and each.status is Status.FAIL:
            met.add(key)
            cause = f"expected: {expected[key]} ({each.cause})"
            each = replace(each, status=Status.EXPECTED, cause=cause)
        found.append(each)
    for key in expected.keys() - met:
        name, _, backend = key.partition("@")
        text = f"expected to fail ({expected[key]}), and does not: take it out of the list"
        status = Status.FAIL if strict else Status.PASS
        found.append(Check(f"expectation {name}", backend, status, Kind.HARNESS, text))
    return found
