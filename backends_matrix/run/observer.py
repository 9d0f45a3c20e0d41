"""The interface by which a run reports its progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from backends_matrix.run.cell import Cell
from backends_matrix.run.result import CellResult


class Observer(Protocol):
    """Receives the progress of a run."""

    def started(self, cell: Cell) -> None:
        """A cell was handed to its worker."""

    def epoch(self, cell: Cell, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        """An epoch ended."""

    def finished(self, result: CellResult) -> None:
        """A cell has a result."""

    def waiting(self, what: str) -> None:
        """Something that takes time has begun."""

    def waited(self, what: str) -> None:
        """That has ended."""

    def note(self, text: str) -> None:
        """Something that a user should know."""


class Silent:
    """Shows nothing."""

    def started(self, cell: Cell) -> None:
        """Nothing."""

    def epoch(self, cell: Cell, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        """Nothing."""

    def finished(self, result: CellResult) -> None:
        """Nothing."""

    def waiting(self, what: str) -> None:
        """Nothing."""

    def waited(self, what: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""
