"""What the linter reports: findings, and the edits that mend them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, order=True, slots=True)
class Edit:
    """Replace a range of a file's text.

    Args:
        start_line: first line of the range, from 1.
        start_column: first column, from 1, counted in characters.
        end_line: line of the end, from 1.
        end_column: column after the last replaced character, from 1.
        text: what stands there afterwards.
    """

    start_line: int
    start_column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that mend one finding.

    Args:
        title: what the fix does, in the imperative.
        safe: whether the code means the same afterwards wherever it worked before.
        edits: replacements; they do not overlap.
        imports: modules that the edited file must import, such as ``from keras import ops``.
    """

    title: str
    safe: bool
    edits: tuple[Edit, ...]
    imports: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Fix:
        """Rebuild a fix from the result of ``asdict``."""
        edits = tuple(Edit(**each) for each in data["edits"])
        return cls(data["title"], data["safe"], edits, tuple(data["imports"]))


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where code is not portable.

    Args:
        path: the file, as it was named on the command line.
        line: first line, from 1.
        column: first column, from 1, counted in characters.
        end_line: last line.
        end_column: column after the end.
        rule: code of the rule, such as ``PK101``.
        message: what is wrong, and on which backend.
        hint: what to write instead.
        fix: the edits, where there is one right form.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    rule: str
    message: str
    hint: str
    fix: Fix | None = None

    @property
    def key(self) -> tuple[str, int, int, str]:
        """Sorting key; two findings with one key are the same finding."""
        return (self.path, self.line, self.column, self.rule)

    def as_json(self) -> dict[str, Any]:
        """The finding as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Finding:
        """Rebuild a finding from ``as_json``."""
        fix = Fix.from_json(data["fix"]) if data["fix"] else None
        return cls(**{**data, "fix": fix})
