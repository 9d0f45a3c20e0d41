"""What people see while cells run: bars on a terminal, one line per finished cell elsewhere."""

from __future__ import annotations

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

from backends_matrix.run.cell import Cell
from backends_matrix.run.result import CellResult


class ConsoleProgress:
    """A bar for each running cell on a terminal, and a line for each finished one.

    Args:
        console: where it is shown; bars appear only where it is a terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars: dict[Cell, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[metrics]}"),
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
        self._bars[cell] = self._progress.add_task(cell.title, total=None, metrics="")

    def epoch(self, cell: Cell, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        """Move the bar on."""
        figures = " ".join(f"{name} {value:.3g}" for name, value in list(metrics.items())[:2])
        self._progress.update(self._bars[cell], completed=epoch, total=epochs, metrics=figures)

    def finished(self, result: CellResult) -> None:
        """Take the bar away and print a line."""
        if result.cell in self._bars:
            self._progress.remove_task(self._bars.pop(result.cell))
        seconds = f"{result.seconds:.1f} s" if result.seconds is not None else ""
        style = "green" if result.ok else "red"
        self._console.print(
            f"[{style}]{result.status.value:>9}[/{style}]  ", end="", highlight=False
        )
        # Titles and reasons come from users: they are never read as markup.
        self._console.print(f"{result.cell.title}  {seconds}", markup=False, highlight=False)
        if result.reason and not result.ok:
            self._console.print(f"           {result.reason}", markup=False, highlight=False)
