"""Failures that are expected, each with a reason."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from backends_matrix.check.result import Check, Status
from backends_matrix.errors import CallError


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


def apply_expectations(checks: Iterable[Check], expected: Mapping[str, str]) -> list[Check]:
    """Failures that were expected become ``expected``.

    Args:
        checks: what was found.
        expected: ``check``, ``check@backend`` or the id of a known gap, to the reason.
    """
    found: list[Check] = []
    for check in checks:
        key = next((key for key in keys_of(check) if key in expected), None)
        if key is not None and check.status is Status.FAIL:
            cause = f"expected: {expected[key]} ({check.cause})"
            found.append(replace(check, status=Status.EXPECTED, cause=cause))
        else:
            found.append(check)
    return found


def keys_of(check: Check) -> tuple[str, ...]:
    """What a failure may be expected as."""
    keys = (check.name, f"{check.name}@{check.backend}", check.known_gap)
    return tuple(key for key in keys if key)


def needless_expectations(
    checks: Iterable[Check], expected: Mapping[str, str], *, strict: bool
) -> list[Check]:
    """Rows for expectations that no failure of any target met; they fail with ``strict``."""
    met = {key for check in checks if check.status is Status.EXPECTED for key in keys_of(check)}
    found = []
    for key in sorted(expected.keys() - met):
        name, _, backend = key.partition("@")
        cause = f"expected to fail ({expected[key]}), and does not: take it out of the list"
        status = Status.FAIL if strict else Status.PASS
        found.append(Check(f"expectation {name}", backend, status, cause=cause))
    return found
