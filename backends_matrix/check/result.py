"""What a check found, as types and as the JSON that other people's scripts read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

SCHEMA = 1

PORTABLE, NOT_PORTABLE, ERROR = "portable", "not portable", "error"
EXIT_CODES = {PORTABLE: 0, NOT_PORTABLE: 1, ERROR: 3}


class Status(StrEnum):
    """How one check ended."""

    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"
    EXPECTED = "expected"


class Kind(StrEnum):
    """Whose a failure is."""

    AUTHOR = "author"
    KERAS = "keras"
    REPORTED = "sound-but-reported"
    HARNESS = "harness"


@dataclass(frozen=True)
class Check:
    """One thing that was checked on one backend.

    Args:
        name: what was checked, such as ``outputs``.
        backend: where; ``jax>torch`` for a file written on one and read on the other.
        status: how it ended.
        kind: whose the failure is; None where there is none.
        cause: one sentence that says why.
        layer: path of the first layer, operation or variable that differs or fails by itself.
        file: source file of the cause.
        line: its line, from 1.
        hint: the portable way.
        known_gap: id of the entry in ``known_gaps.toml`` that explains it.
        difference: largest absolute difference.
        tolerance: the largest that would have passed.
        seconds: what the stage took.
    """

    name: str
    backend: str
    status: Status
    kind: Kind | None = None
    cause: str = ""
    layer: str = ""
    file: str = ""
    line: int | None = None
    hint: str = ""
    known_gap: str = ""
    difference: float | None = None
    tolerance: float | None = None
    seconds: float | None = None

    @property
    def executed(self) -> bool:
        """Whether it ran to a result."""
        return self.status is not Status.SKIP


@dataclass(frozen=True)
class Reduced:
    """A failure and the script that shows it, if there is one.

    Args:
        check: name of the check that failed.
        backend: where.
        layer: the layer that the check named.
        path: of the script, with its description beside it as Markdown; "" where there is none.
        reason: what the script shows, or why there is none.
    """

    check: str
    backend: str
    layer: str
    path: str
    reason: str


@dataclass(frozen=True)
class TargetResult:
    """All checks of one target.

    Args:
        target: as it was named.
        verdict: portable, not portable or error.
        checks: in the order of the stages.
        seconds: what the target took.
        reason: one line, where the verdict is not portable or error.
        model: layers and their errors, for the report.
        scripts: what ``--reduce`` has written, and what it has found no script for.
    """

    target: str
    verdict: str
    checks: tuple[Check, ...]
    seconds: float = 0.0
    reason: str = ""
    model: Mapping[str, Any] = field(default_factory=dict)
    scripts: tuple[Reduced, ...] = ()

    @property
    def executed(self) -> int:
        """How many checks ran to a result."""
        return sum(each.executed for each in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(each for each in self.checks if each.status is Status.FAIL)

    def to_dict(self) -> dict[str, Any]:
        """The entry of ``targets`` in the JSON document."""
        return {
            "target": self.target,
            "verdict": self.verdict,
            "reason": self.reason,
            "executed": self.executed,
            "seconds": round(self.seconds, 3),
            "checks": [_entry(each) for each in self.checks],
            "model": dict(self.model),
            "scripts": [asdict(each) for each in self.scripts],
        }


@dataclass(frozen=True)
class CheckReport:
    """What was found of all targets.

    Args:
        targets: one result for each.
        environment: versions of what ran.
    """

    targets: tuple[TargetResult, ...]
    environment: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """``error`` if anything could not be decided, else ``not portable`` if anything failed."""
        return overall(each.verdict for each in self.targets)

    @property
    def exit_code(self) -> int:
        """0 all portable, 1 some are not, 3 something could not be run."""
        return EXIT_CODES[self.verdict]

    def to_dict(self) -> dict[str, Any]:
        """The JSON document."""
        return {
            "schema": SCHEMA,
            "verdict": self.verdict,
            "environment": dict(self.environment),
            "targets": [each.to_dict() for each in self.targets],
        }


def overall(verdicts: Iterable[str]) -> str:
    """The verdict of several."""
    found = set(verdicts)
    if ERROR in found or not found:
        return ERROR
    return NOT_PORTABLE if NOT_PORTABLE in found else PORTABLE


def verdict_of(checks: Sequence[Check]) -> str:
    """The verdict of one target's checks: something failed, or nothing ran, or all is well.

    A failure of the harness (a time-out, a crash) leaves the target undecided, unless something else failed.
    """
    failed = [each for each in checks if each.status is Status.FAIL]
    if any(each.kind is not Kind.HARNESS for each in failed):
        return NOT_PORTABLE
    if failed or not any(each.executed for each in checks):
        return ERROR
    return PORTABLE


def _entry(check: Check) -> dict[str, Any]:
    entry = asdict(check)
    entry["status"] = str(check.status)
    entry["kind"] = None if check.kind is None else str(check.kind)
    for name in ("difference", "tolerance"):
        value = entry[name]
        # JSON knows no infinity and no NaN.
        if value is not None and not abs(value) < float("inf"):
            entry[name] = None
    return entry
