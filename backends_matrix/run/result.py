"""A cell's result: one schema for the worker that writes it and the parent that reads it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from backends_matrix.atomic_files import make_folder, write_atomically
from backends_matrix.run.cell import Cell
from backends_matrix.run.result_check import find_fault

RESULT_FILE = "result.json"


class Status(StrEnum):
    """How a cell ended."""

    OK = "ok"
    FAILED = "failed"
    DIVERGED = "diverged"
    INVALID = "invalid"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"
    UNAVAILABLE = "unavailable"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class CellResult:
    """The result of a cell.

    Args:
        cell: the cell.
        status: how it ended.
        reason: why it is not ok, in one line; or, where it is, why another engine ran than was asked for.
        seconds: wall-clock time in the worker.
        peak_memory_bytes: the worker's largest resident memory while the cell ran.
        outcome: the outcome as JSON (``portable_models.experiments.Outcome.to_json``); empty unless
            comparable.
        environment: versions and settings of the worker that ran it.
        identity: digests of what it ran (see ``identity.py``); empty unless comparable.
        device_peak_memory_bytes: the largest memory in use on the accelerator while the cell ran; on JAX,
            since its worker began. None on a CPU.
    """

    cell: Cell
    status: Status
    reason: str = ""
    seconds: float | None = None
    peak_memory_bytes: int | None = None
    outcome: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    identity: Mapping[str, Any] = field(default_factory=dict)
    device_peak_memory_bytes: int | None = None

    @property
    def ok(self) -> bool:
        """True where the cell has numbers to judge."""
        return self.status is Status.OK

    @property
    def comparable(self) -> bool:
        """True where there is a training to compare; its numbers may have ceased to be finite."""
        return self.status in (Status.OK, Status.DIVERGED)

    @property
    def history(self) -> Mapping[str, list[float]]:
        """Metric name -> one value per epoch."""
        history: Mapping[str, list[float]] = self.outcome.get("history", {})
        return history

    @property
    def final(self) -> Mapping[str, float]:
        """Metrics measured once, after the last epoch."""
        final: Mapping[str, float] = self.outcome.get("final", {})
        return final

    @property
    def digests(self) -> Mapping[str, str]:
        """SHA-256 of what went into the training."""
        digests: Mapping[str, str] = self.outcome.get("digests", {})
        return digests

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; ``from_json`` is the inverse."""
        return {
            "fingerprint": self.cell.fingerprint(),
            "cell": self.cell.to_json(),
            "status": self.status.value,
            "reason": self.reason,
            "seconds": self.seconds,
            "peak_memory_bytes": self.peak_memory_bytes,
            "outcome": self.outcome,
            "environment": self.environment,
            "identity": self.identity,
            "device_peak_memory_bytes": self.device_peak_memory_bytes,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CellResult:
        """The result that ``to_json`` wrote."""
        return cls(
            Cell.from_json(value["cell"]),
            Status(value["status"]),
            value["reason"],
            value["seconds"],
            value["peak_memory_bytes"],
            value["outcome"],
            value["environment"],
            value["identity"],
            value["device_peak_memory_bytes"],
        )


def write_result(result: CellResult, cells: Path) -> Path:
    """Write a result into the cell's folder under ``cells``, whole or not at all.

    Numbers that JSON cannot hold (NaN, infinity) are written as null; ``read_result`` gives that status then.

    Raises:
        OSError: it cannot be written.
    """
    folder = make_folder(cells / result.cell.key)
    plain = _finite(result.to_json())
    text = json.dumps({**plain, "checksum": _checksum(plain)}, indent=1, allow_nan=False)
    return write_atomically(folder / RESULT_FILE, text.encode("utf-8", "backslashreplace"))


def read_result(cell: Cell, cells: Path) -> CellResult:
    """The result of a cell, or a result that says why there is none that counts.

    A result that is missing, unreadable, damaged or of another cell is never taken for a pass. One with a
    number that is not finite has the status ``diverged``: that it is the same on every backend is for the
    comparison to say.
    """
    path = cells / cell.key / RESULT_FILE
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if fault := find_fault(value):
            return CellResult(cell, Status.INVALID, f"the result file is damaged: {fault}")
        if value.pop("checksum", "") != _checksum(value):
            return CellResult(
                cell, Status.INVALID, "the result file is damaged: its checksum is wrong"
            )
        result = CellResult.from_json(value)
        fingerprint = value["fingerprint"]
    except FileNotFoundError:
        return CellResult(cell, Status.INVALID, "the worker wrote no result")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        return CellResult(cell, Status.INVALID, f"the result file cannot be read: {error!r}")
    if fingerprint != cell.fingerprint() or result.cell != cell:
        return CellResult(cell, Status.INVALID, "the result file belongs to another cell")
    return checked_numbers(result)


def checked_numbers(result: CellResult) -> CellResult:
    """A result as it is; invalid or diverged where it ended well without numbers, or without finite ones."""
    if not result.ok:
        return result
    if fault := _unusable(result):
        return dataclasses.replace(result, status=Status.INVALID, reason=fault, outcome={})
    if fault := _not_finite(result):
        return dataclasses.replace(result, status=Status.DIVERGED, reason=fault)
    return result


def _not_finite(result: CellResult) -> str:
    """The first number that is not finite, in words; empty where all are."""
    first = [
        (epoch, name)
        for name, points in result.history.items()
        for epoch, value in enumerate(points, start=1)
        if value is None or not math.isfinite(value)
    ]
    if first:
        epoch, name = min(first, key=lambda each: each[0])
        return f"{name} is not a finite number at epoch {epoch}"
    for name, value in result.final.items():
        if value is None or not math.isfinite(value):
            return f"{name} is not a finite number"
    return ""


def _unusable(result: CellResult) -> str:
    """Why a result has nothing to compare, in words; empty where it has."""
    if not result.history or not all(result.history.values()):
        return "the result holds no history"
    samples: Mapping[str, int] = result.outcome.get("samples", {})
    for prefix, part in (("val_", "validation"), ("test_", "test")):
        measured = [name for name in (*result.history, *result.final) if name.startswith(prefix)]
        if measured and samples.get(part) == 0:
            return f"{measured[0]} was measured on no samples; the study's {part} data are empty"
    return ""


def _checksum(value: Mapping[str, Any]) -> str:
    """SHA-256 of a result: a flipped bit may turn one number into another, which no check of types finds."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
