"""Progress of a run: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from backends_matrix.cli.messages import one_safe_line
from backends_matrix.run.cell import Cell
from backends_matrix.run.result import CellResult

_LARGEST_TOTAL = 10**9
"""More epochs than any training has; a number beyond float64 would not be drawn."""


class ConsoleProgress:
    """Shows what is waited for and what has finished: with bars on a terminal, line by line elsewhere.

    Titles, metrics and reasons come from users. They are shown as they are, never read as markup, and
    nothing of them is obeyed by a terminal.

    Args:
        console: where it is shown; bars appear only where it is a terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars: dict[object, TaskID] = {}
        self._started = time.monotonic()
        self._begun: dict[str, float] = {}
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[metrics]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> ConsoleProgress:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def started(self, cell: Cell) -> None:
        """Show a bar."""
        self._add(cell, cell.title)

    def epoch(self, cell: Cell, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        """Move the bar on."""
        figures = " ".join(f"{name} {value:.3g}" for name, value in list(metrics.items())[:2])
        if cell in self._bars:
            self._progress.update(
                self._bars[cell],
                completed=min(epoch, _LARGEST_TOTAL),
                total=min(epochs, _LARGEST_TOTAL),
                metrics=one_safe_line(figures)[:60],
            )

    def finished(self, result: CellResult) -> None:
        """Take the bar away and print a line."""
        self._remove(result.cell)
        seconds = f"{result.seconds:.1f} s" if result.seconds is not None else ""
        status = Text(f"{result.status.value:>9}  ", style="green" if result.ok else "red")
        self._print(
            status.append(f"{one_safe_line(result.cell.title)}  {seconds}", style="default")
        )
        if result.reason and not result.ok:
            self._print(Text(f"           {one_safe_line(result.reason)}"))

    def waiting(self, what: str) -> None:
        """Show what is waited for."""
        self._begun[what] = time.monotonic()
        self._add(what, what)
        if not self._console.is_terminal:
            self._print(Text(f"{self._clock()}  {one_safe_line(what)}"))

    def waited(self, what: str) -> None:
        """Say how long it took, where that was noticeable."""
        self._remove(what)
        spent = time.monotonic() - self._begun.pop(what, time.monotonic())
        if self._console.is_terminal and spent >= 1:
            self._print(Text(f"{self._clock()}  {one_safe_line(what)}: {spent:.0f} s"))

    def note(self, text: str) -> None:
        """Print a line."""
        self._print(Text(one_safe_line(text)))

    def _add(self, key: object, title: str) -> None:
        self._remove(key)
        self._bars[key] = self._progress.add_task(one_safe_line(title)[:70], total=None, metrics="")

    def _remove(self, key: object) -> None:
        if key in self._bars:
            self._progress.remove_task(self._bars.pop(key))

    def _clock(self) -> str:
        return f"{time.monotonic() - self._started:7.1f} s"

    def _print(self, text: Text) -> None:
        """Print a line; progress that cannot be shown must not end a run."""
        try:
            self._console.print(text, highlight=False, soft_wrap=True)
        except OSError:
            self._console.quiet = True
