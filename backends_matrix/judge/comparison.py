"""The record of one comparison, and its verdict."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from backends_matrix.run.result import CellResult


class Agreement(StrEnum):
    """The verdict of one comparison."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True)
class Comparison:
    """One quantity of one cell held against the reference; the fields are those of ``report.json``.

    Args:
        level: 0 (digests) or 2 (metrics).
        experiment: name of the experiment.
        variant: name of the variant.
        quantity: digest or metric.
        epoch: epoch from 1, or None for what has no epoch.
        reference: backend that is compared with.
        backend: backend that is judged.
        pipeline: pipeline of the judged cell.
        difference: absolute difference; 0 or 1 for digests.
        tolerance: largest difference that passes.
        smallest_passing: smallest tolerance that would have passed.
        verdict: agrees, differs or undecidable.
        why: how the tolerance came about.
        step: at level 1, how many steps were made before the one that is compared.
        layer: path of the first layer, operation or variable that differs by itself, where that was found.
        known_gap: id of the known gap of Keras that explains the difference; empty where none does.
    """

    level: int
    experiment: str
    variant: str
    quantity: str
    epoch: int | None
    reference: str
    backend: str
    pipeline: str
    difference: float
    tolerance: float
    smallest_passing: float
    verdict: Agreement
    why: str
    step: int | None = None
    layer: str = ""
    known_gap: str = ""

    def to_json(self) -> dict[str, Any]:
        """The comparison as ``report.json`` holds it."""
        found = {**asdict(self), "verdict": self.verdict.value}
        for name in ("difference", "tolerance", "smallest_passing"):
            # A result that is no number is infinitely far away; JSON has no such number.
            found[name] = found[name] if math.isfinite(found[name]) else None
        return found


def make_comparison(
    base: CellResult,
    other: CellResult,
    *,
    level: int,
    quantity: str,
    epoch: int | None,
    difference: float,
    tolerance: float,
    undecidable: bool,
    why: str,
) -> Comparison:
    """Build the comparison of one quantity of a cell with its reference cell."""
    verdict = Agreement.UNDECIDABLE if undecidable else Agreement.AGREES
    return Comparison(
        level,
        base.cell.experiment,
        base.cell.variant,
        quantity,
        epoch,
        base.cell.backend,
        other.cell.backend,
        other.cell.pipeline,
        difference,
        tolerance,
        difference,
        verdict if difference <= tolerance else Agreement.DIFFERS,
        why,
    )
