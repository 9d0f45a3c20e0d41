"""The state of a run, kept up to date so that an interrupted run can be reported."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backends_matrix.judge.cells import judge_cells
from backends_matrix.judge.comparison import Comparison
from backends_matrix.run.cell import Cell
from backends_matrix.run.reproducibility import Place, withdraw_judgements
from backends_matrix.run.result import CellResult, Status


@dataclass
class RunState:
    """The state of a run.

    Args:
        descriptions: experiment as it was asked for -> what a worker said of it.
        cells: all cells that are planned so far.
        results: the results that came.
        environments: backend -> versions and settings.
        claims: findings on published claims.
        steps: comparisons of level 1.
        without_steps: reference cells whose single steps could not be compared, and why.
        irreproducible: variants that differ from themselves on one backend, and why.
        interrupted: the name of the signal that ended the run; empty if none did.
        notes: remarks for the report.
        seconds: what the time went into.
    """

    descriptions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cells: Sequence[Cell] = ()
    results: dict[Cell, CellResult] = field(default_factory=dict)
    environments: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    claims: list[Mapping[str, Any]] = field(default_factory=list)
    steps: list[Comparison] = field(default_factory=list)
    without_steps: dict[Cell, str] = field(default_factory=dict)
    irreproducible: dict[Place, str] = field(default_factory=dict)
    interrupted: str = ""
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: {"steps": 0.0, "judging": 0.0})

    def record(self, result: CellResult) -> None:
        """Keep a result."""
        self.results[result.cell] = result

    def judge(self, reference: str) -> list[Comparison]:
        """Levels 0 and 2 of what has finished so far."""
        started = time.perf_counter()
        found = judge_cells(self.results.values(), reference)
        self.seconds["judging"] += time.perf_counter() - started
        return withdraw_judgements(found, self.irreproducible)

    def all_results(self) -> list[CellResult]:
        """A result for every planned cell."""
        missing = Status.INTERRUPTED if self.interrupted else Status.INVALID
        reason = (
            "interrupted before it finished" if self.interrupted else "the worker wrote no result"
        )
        return [self.results.get(cell) or CellResult(cell, missing, reason) for cell in self.cells]
