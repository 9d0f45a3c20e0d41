"""What the source of a model gives reason to suspect, before anything is known of what happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LARGEST = 2 << 20


@dataclass(frozen=True)
class Suspicion:
    """A place in the source that does not mean the same on every backend.

    Args:
        rule: the kind of mistake.
        file: path.
        line: from 1.
        last: its last line.
        where: ``Class.method`` or function, "" at the top of a file.
        reason: one sentence: what happens.
        hint: the portable way to write it.
    """

    rule: str
    file: str
    line: int
    last: int
    where: str
    reason: str
    hint: str


def read_suspicions(files: Iterable[str]) -> list[Suspicion]:
    """All suspicions in some source files, in their order; files that cannot be read give none."""
    # Here, because rules are made of suspicions.
    from backends_matrix.check.diagnosis.classes import class_rules
    from backends_matrix.check.diagnosis.code import parse
    from backends_matrix.check.diagnosis.rules import call_rules

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
