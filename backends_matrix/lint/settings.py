"""Settings of the linter, from ``[tool.portable.lint]`` in pyproject.toml and the command line."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends_matrix.lint import rules as _rules
from backends_matrix.lint.rule import RULES

assert _rules.LOADED, "the rules are defined when they are imported"

ALSO = {"keras2": frozenset({"PK702", "PK703"})}
"""Group -> rules of other groups that belong to it too."""

_KEYS = {"select", "ignore", "exclude", "per-file-ignores"}


class SettingsError(Exception):
    """A setting that cannot be used; the message is one line for the user."""


@dataclass(frozen=True)
class Settings:
    """What is linted, and by which rules.

    Args:
        select: codes of the rules that are applied.
        exclude: patterns of paths that are left out.
        per_file: pattern of paths -> codes of rules that are not applied there.
        root: the folder that the patterns start from.
    """

    select: frozenset[str] = field(default_factory=lambda: frozenset(RULES))
    exclude: tuple[str, ...] = ()
    per_file: tuple[tuple[str, frozenset[str]], ...] = ()
    root: Path = field(default_factory=Path)

    def applies(self, rule: str, path: Path) -> bool:
        """Whether a rule is applied to a file."""
        if rule not in self.select:
            return False
        return not any(
            rule in codes and matches(path, pattern, self.root) for pattern, codes in self.per_file
        )

    def excludes(self, path: Path) -> bool:
        """Whether a file is left out."""
        return any(matches(path, pattern, self.root) for pattern in self.exclude)


def matches(path: Path, pattern: str, root: Path) -> bool:
    """Whether a path, its name, or a folder that it is in matches a pattern."""
    absolute = path.absolute()
    base = root.absolute()
    relative = absolute.relative_to(base) if absolute.is_relative_to(base) else absolute
    whole = relative.as_posix()
    pattern = pattern.rstrip("/")
    return (
        fnmatch.fnmatch(whole, pattern)
        or fnmatch.fnmatch(whole, f"{pattern}/*")
        or ("/" not in pattern and any(fnmatch.fnmatch(part, pattern) for part in relative.parts))
    )


def expand(names: Iterable[str], origin: str) -> frozenset[str]:
    """The codes that names stand for: a code, the beginning of codes, a group, a rule's name, or ALL.

    Raises:
        SettingsError: a name stands for none.
    """
    found: set[str] = set()
    for name in names:
        codes = {
            code
            for code, rule in RULES.items()
            if name in ("ALL", code, rule.group, rule.name)
            or (name.startswith("PK") and code.startswith(name))
            or code in ALSO.get(name, ())
        }
        if not codes:
            groups = ", ".join(sorted({rule.group for rule in RULES.values()}))
            raise SettingsError(
                f"{origin}: no rule is called {name!r}; expected a code such as PK101, the beginning of one, "
                f"a rule's name, ALL, or a group: {groups}"
            )
        found |= codes
    return frozenset(found)


def find_pyproject(start: Path) -> Path | None:
    """The nearest pyproject.toml at or above a path."""
    absolute = start.absolute()
    for folder in (absolute, *absolute.parents):
        candidate = folder / "pyproject.toml"
        if candidate.is_file():
            return candidate
    return None


def load(start: Path, select: Iterable[str] | None = None, ignore: Iterable[str] = ()) -> Settings:
    """The settings for a path; what the command line selects stands in place of the file's selection.

    Raises:
        SettingsError: the file or a name in it cannot be used.
    """
    path = find_pyproject(start)
    table: Mapping[str, Any] = {}
    origin = "--select"
    if path is not None:
        table = _table(path)
        origin = f"{path}, [tool.portable.lint]"
    for key, value in table.items():
        if key not in _KEYS:
            raise SettingsError(
                f"{origin}: unknown key {key!r}; expected {', '.join(sorted(_KEYS))}"
            )
        if key == "per-file-ignores":
            sound = isinstance(value, dict) and all(map(_is_names, value.values()))
        else:
            sound = _is_names(value)
        if not sound:
            raise SettingsError(f"{origin}: {key} must hold lists of strings")
    chosen = (
        expand(select, "--select")
        if select is not None
        else expand(table.get("select", ["ALL"]), origin)
    )
    left_out = expand(ignore, "--ignore")
    if select is None:
        left_out |= expand(table.get("ignore", []), origin)
    per_file = tuple(
        (pattern, expand(names, origin))
        for pattern, names in table.get("per-file-ignores", {}).items()
    )
    root = path.parent if path is not None else start
    return Settings(chosen - left_out, tuple(table.get("exclude", [])), per_file, root)


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _table(path: Path) -> Mapping[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    tool = data.get("tool", {}).get("portable", {})
    table = tool.get("lint", {}) if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: [tool.portable.lint] must be a table")
    return table
