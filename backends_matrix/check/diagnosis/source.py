"""What the source of a model gives reason to suspect, before anything is known of what happened."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from backends_matrix.check.diagnosis.classes import class_rules
from backends_matrix.check.diagnosis.code import parse
from backends_matrix.check.diagnosis.rules import call_rules
from backends_matrix.check.diagnosis.suspicion import Suspicion

_LARGEST = 256 << 10
"""Bytes; a longer file was written by a program, and would take minutes."""


def read_suspicions(files: Iterable[str]) -> list[Suspicion]:
    """All suspicions in some source files, in their order; files that cannot be read give none."""
    found: list[Suspicion] = []
    for file in dict.fromkeys(files):
        path = Path(file)
        try:
            if path.stat().st_size > _LARGEST:
                continue
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        code = parse(file, text)
        if code is not None:
            found += [*call_rules(code), *class_rules(code)]
    return found
