"""What came of an export: one schema for every target, JSON-able."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """The outcome of an export."""

    VERIFIED = "verified"
    """The artifact is there and gives the source's numbers in the target's own runtime."""
    UNVERIFIED = "unverified"
    """The artifact is there; verification was turned off."""
    DIFFERENT = "different"
    """The artifact ran and gave other numbers, or did not run at all; it was removed."""
    REFUSED = "refused"
    """The target cannot hold this model; the reason says why."""
    FAILED = "failed"
    """The route could not be run to its end; the reason says where."""


EXIT_CODES: Mapping[Status, int] = {
    Status.VERIFIED: 0,
    Status.UNVERIFIED: 0,
    Status.DIFFERENT: 1,
    Status.REFUSED: 3,
    Status.FAILED: 3,
}


@dataclass(frozen=True)
class Check:
    """One comparison of the artifact with the source model.

    Args:
        name: what was put in and what was compared, for instance ``"random, batch 17: output probability"``.
        batch: number of rows.
        difference: largest absolute difference divided by ``scale``; None when nothing could be compared.
        tolerance: what ``difference`` may be.
        scale: the output's scale, in the output's own unit.
        passed: whether the difference is within the tolerance.
        reason: where the tolerance comes from, or why nothing could be compared.
        decides: whether the artifact stands or falls by it. A gradient that nobody asked for is
            reported only.
    """

    name: str
    batch: int
    difference: float | None
    tolerance: float
    scale: float
    passed: bool
    reason: str
    decides: bool = True

    def to_dict(self) -> dict[str, Any]:
        """The JSON-able form."""
        return {**vars(self), "status": "pass" if self.passed else "fail"}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Check:
        """The check that :meth:`to_dict` described."""
        return cls(**{key: value for key, value in data.items() if key != "status"})


@dataclass(frozen=True)
class ExportResult:
    """What came of one export.

    Args:
        target: the target's name.
        status: the outcome.
        reason: one line: why it was refused, failed or is different; empty when all is well.
        route: ``{"hub": backend, "steps": [...]}``: the way taken from the ``.keras`` file to the artifact.
        reference: what the artifact was compared with: ``{"backend", "model", "reason"}``.
        files: path relative to the artifact's folder -> ``{"bytes", "sha256"}``.
        path: where the artifact is; None when there is none.
        signature: inputs and outputs of the artifact (:class:`~portable_models.export.signature.Signature`).
        checks: every comparison made.
        versions: package -> version, of everything that took part.
        seconds: stage -> seconds.
        latency: who -> seconds for a call at the exported batch, the median of several; never judged.
        settings: precision and other settings that the runtime was given.
        notes: what a reader must know besides: a second way that was taken, outputs that were not compared.
    """

    target: str
    status: Status
    reason: str = ""
    route: Mapping[str, Any] = field(default_factory=dict)
    reference: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    path: str | None = None
    signature: Mapping[str, Any] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    latency: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Bytes of all files of the artifact."""
        return sum(entry["bytes"] for entry in self.files.values())

    @property
    def difference(self) -> float | None:
        """The largest relative difference of all checks that decide; None when none was made."""
        found = [
            check.difference
            for check in self.checks
            if check.difference is not None and check.decides
        ]
        return max(found, default=None)

    @property
    def exit_code(self) -> int:
        """0 verified; 1 different; 3 refused or could not be run."""
        return EXIT_CODES[self.status]

    def to_dict(self) -> dict[str, Any]:
        """The JSON-able form."""
        return {
            "schema": 1,
            **vars(self),
            "status": str(self.status),
            "checks": [check.to_dict() for check in self.checks],
            "size_bytes": self.size_bytes,
            "difference": self.difference,
        }
