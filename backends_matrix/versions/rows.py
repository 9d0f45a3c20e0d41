"""The rows of the versions table, read from ``versions.toml`` and checked."""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent / "versions.toml"
EXACT = re.compile(r"[A-Za-z0-9_.-]+(\[[a-z,]+\])?==[A-Za-z0-9_.]+(\+[a-z0-9.]+)?")
TOLERANCE = 1e-6
"""Largest distance of a loss below 1 from the float64 reference: six decimals. In float32 such a loss has a
spacing of 6e-8, and 8 steps on 13 terms were seen to add up to 2e-8; a wrong step is off by 1e-2."""


class VersionsError(ValueError):
    """The table, or what is asked of it, is wrong."""


class Api(enum.StrEnum):
    """Under which name the model's code reaches Keras."""

    KERAS3 = "keras3"
    TF_KERAS = "tf.keras"
    LEGACY = "tf_keras"


class Outcome(enum.StrEnum):
    """The ability of a combination of versions."""

    WORKS = "works"
    INFERENCE = "inference only"
    FAILS = "fails"


class Tag(enum.StrEnum):
    """Groups of rows that are run together."""

    CHEAP = "cheap"
    PUBLISHED = "published"
    NEWEST = "newest"
    ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Extent:
    """In which versions of Keras a framework's version works.

    Args:
        works: versions of Keras seen to work, oldest first.
        fails: versions seen to fail.
        reason: why these fail, or empty.
    """

    works: tuple[str, ...]
    fails: tuple[str, ...] = ()
    reason: str = ""

    def __str__(self) -> str:
        """The extent in one line, as the table shows it."""
        works = f"keras {self.works[0]}" + (f" to {self.works[-1]}" if len(self.works) > 1 else "")
        fails = f"; fails with {', '.join(self.fails)}: {self.reason}" if self.fails else ""
        return works + fails


@dataclass(frozen=True, kw_only=True)
class Row:
    """One combination of versions.

    Args:
        name: what ``nox -s "versions(NAME)"`` takes.
        python: Python's version, such as ``"3.11"``.
        packages: what is installed, each pinned exactly, in one command.
        without_dependencies: what is installed after that, without what it asks for itself.
        env: environment variables of the run.
        backend: what Keras must run on.
        api: under which name Keras is reached.
        imports: packages that must be importable too.
        claim: what is published of this combination, word for word, or empty.
        as_published: installed as the claim says, with no pins of ours.
        extent: a key of the table's extents, or empty.
        expected: what the combination can do.
        reason: a part of the error where it is expected to fail.
        tags: groups that the row is in, besides ``all``.
        size: a word on what has to be fetched, or empty.
        tolerance: how far a loss may be from the float64 reference.
        tolerance_reason: why, where it is not the usual one.
    """

    name: str
    python: str
    packages: tuple[str, ...]
    without_dependencies: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    backend: str
    api: Api = Api.KERAS3
    imports: tuple[str, ...] = ()
    claim: str = ""
    as_published: bool = False
    extent: str = ""
    expected: Outcome
    reason: str = ""
    tags: frozenset[Tag] = frozenset()
    size: str = ""
    tolerance: float = TOLERANCE
    tolerance_reason: str = ""

    def environment(self) -> dict[str, str]:
        """The variables of the run: the row's own, the backend, one thread, quiet."""
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
        return quiet | {"OMP_NUM_THREADS": "1", "KERAS_BACKEND": self.backend} | dict(self.env)

    def arguments(self, report: Path) -> list[str]:
        """The command line of ``smoke.py``."""
        imports = [option for name in self.imports for option in ("--import", name)]
        return [str(report), "--api", self.api, *imports]


@dataclass(frozen=True)
class Table:
    """All rows, by name and in order, and the extents that they refer to."""

    rows: Mapping[str, Row]
    extents: Mapping[str, Extent]

    def select(self, names: Iterable[str] = (), tag: Tag | None = None) -> list[Row]:
        """The rows of these names, or with this tag, in the table's order; all where neither is given.

        Raises:
            VersionsError: a name that is not in the table.
        """
        wanted = list(names)
        unknown = [name for name in wanted if name not in self.rows]
        if unknown:
            raise VersionsError(
                f"no row is called {unknown[0]!r}: expected one of {', '.join(self.rows)}"
            )
        chosen = wanted or [row.name for row in self.rows.values() if has_tag(row, tag)]
        return [row for row in self.rows.values() if row.name in chosen]


def has_tag(row: Row, tag: Tag | None) -> bool:
    """True if the row is in this group; every row is in ``all``."""
    return tag in {None, Tag.ALL} or tag in row.tags


def load(path: Path = TABLE) -> Table:
    """The table in a file like ``versions.toml``.

    Raises:
        VersionsError: a row that is not sound; the message names it.
    """
    text = tomllib.loads(path.read_text(encoding="utf-8"))
    extents = {name: Extent(**_tuples(given)) for name, given in text.get("extents", {}).items()}
    rows: dict[str, Row] = {}
    for given in text.get("rows", []):
        row = _row(text.get("defaults", {}) | given)
        if row.name in rows:
            raise VersionsError(f"row {row.name!r} is there twice: give each row a name of its own")
        if row.extent and row.extent not in extents:
            raise _wrong(row.name, "extent", row.extent, f"one of {', '.join(extents)}")
        rows[row.name] = row
    if not rows:
        raise VersionsError(f"{path.name} holds no rows: expected tables [[rows]]")
    return Table(rows, extents)


def _row(given: Mapping[str, Any]) -> Row:
    name = given.get("name", "without a name")
    known = {each.name for each in fields(Row)} - {"reason"}
    for key in given:
        if key not in known:
            raise VersionsError(
                f"row {name!r} has the unknown key {key!r}: known are {sorted(known)}"
            )
    for key in ("name", "python", "packages", "backend", "expected"):
        if not given.get(key):
            raise VersionsError(f"row {name!r} has no {key}: give it one")
    outcome, _, reason = given["expected"].partition(": ")
    typed = _tuples(given) | {
        "expected": _member(Outcome, name, "expected", outcome),
        "reason": reason,
        "api": _member(Api, name, "api", given.get("api", Api.KERAS3)),
        "tags": frozenset(_member(Tag, name, "tags", tag) for tag in given.get("tags", ())),
    }
    row = Row(**typed)
    _check(row)
    return row


def _check(row: Row) -> None:
    for requirement in (*row.packages, *row.without_dependencies):
        if not row.as_published and not EXACT.fullmatch(requirement):
            raise _wrong(row.name, "packages", requirement, "an exact pin, PACKAGE==VERSION")
    if row.as_published and not row.claim:
        raise VersionsError(f"row {row.name!r} is as published, but has no claim: quote it")
    if (row.expected is Outcome.FAILS) != bool(row.reason):
        raise VersionsError(
            f"row {row.name!r} is expected to be {row.expected.value!r} with the reason "
            f"{row.reason!r}: a row that fails says why ('fails: part of the error'), no other does"
        )
    if Tag.ALL in row.tags:
        raise VersionsError(f"row {row.name!r} names the tag 'all': every row has it, leave it out")
    if (row.tolerance != TOLERANCE) != bool(row.tolerance_reason):
        raise VersionsError(
            f"row {row.name!r}: a tolerance of its own needs a reason, and no other"
        )


def _member(kind: type[enum.StrEnum], name: str, key: str, given: str) -> Any:
    try:
        return kind(given)
    except ValueError:
        raise _wrong(name, key, given, " or ".join(kind)) from None


def _wrong(name: str, key: str, given: str, expected: str) -> VersionsError:
    return VersionsError(f"row {name!r}: {key} is {given!r}, expected {expected}")


def _tuples(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
        for key, value in given.items()
    }
