"""A place in the source that does not mean the same on every backend."""

from __future__ import annotations

from dataclasses import dataclass


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
