"""The report on a terminal or in a pipe: the verdict and what led to it, in at most 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backends_matrix.report.console import SafeConsole
from backends_matrix.report.headline import headline, ran_alone
from backends_matrix.report.next_steps import next_step, notes, written
from backends_matrix.report.overview import (
    Row,
    backends,
    claim_rows,
    data_text,
    extent,
    last_value,
    measured_lines,
    pipelines,
    place,
    rows,
    shown_cells,
    state,
)
from backends_matrix.report.problems import Line, problem_lines
from backends_matrix.report.records import Experiment, Report, parse
from backends_matrix.report.summary import times
from backends_matrix.report.tally import grouped, made_text
from backends_matrix.report.wording import (
    NOTHING,
    count,
    duration,
    measured_against,
    moment,
    value,
)

_STYLES = {
    "agree": "bold green",
    "ran": "bold cyan",
    "differ": "bold red",
    "error": "bold yellow",
    "agrees": "green",
    "reference": "green",
    "undecidable": "bold cyan",
    "differs": "bold red",
    "error cell": "yellow",
    "yes": "green",
    "no": "red",
}
_ASCII = {"≤": "<=", "·": "|", "–": "-", "…": "...", "\ufffd": "?"}
_MOST_PROBLEMS = 20
_WIDE = 110
_NARROWEST = 50
"""Columns of a table without those of the backends: variant, metric and worst case."""


def show(
    document: Mapping[str, Any], directory: Path | str | None = None, console: Console | None = None
) -> None:
    """Print a report.

    Args:
        document: a valid document (see :func:`~backends_matrix.report.validate`).
        directory: the folder that its files were written to, or None if they were not.
        console: where to print; standard output if None.
    """
    _Terminal(console or SafeConsole(), parse(document)).show(directory)


class _Terminal:
    def __init__(self, console: Console, report: Report) -> None:
        self.console = console
        self.report = report
        self.wide = console.width >= _WIDE
        # A pipe may have an encoding without these characters; an error there would hide the report.
        self.ascii = console.options.ascii_only

    def text(self, content: str, style: str = "") -> Text:
        """Text that is shown as it is: no markup, and nothing that the console cannot encode."""
        if self.ascii:
            for character, replacement in _ASCII.items():
                content = content.replace(character, replacement)
            content = content.encode("ascii", "backslashreplace").decode("ascii")
        return Text(content, style=style)

    def line(self, *parts: Text, whole: bool = False) -> None:
        """Print one line; ``whole`` leaves the wrapping to the terminal, so that grep finds it all."""
        self.console.print(Text.assemble(*parts), highlight=False, soft_wrap=whole)

    def show(self, directory: Path | str | None) -> None:
        report = self.report
        verdict = report.verdict
        self.line(
            self.text(f"{report.project} · {moment(report.created)} · {extent(report)}", "dim")
        )
        self.line()
        badge = self.text(f"{verdict.upper()}: {headline(report)}", _STYLES[verdict])
        self.line(badge)
        if not ran_alone(report):
            self.line(self.text(f"{made_text(report.comparisons)}."))
        if report.seconds:
            spent = [f"{name} {duration(seconds)}" for name, seconds in times(report).items()]
            self.line(self.text(f"Time: {'; '.join(spent)}.", "dim"))
        self.problems(problem_lines(report))
        for experiment in report.experiments.values():
            self.experiment(experiment)
        self.pipelines()
        self.claims()
        for note in notes(report):
            self.line(self.text(f"Note: {note}"), whole=True)
        if directory is not None:
            self.line()
            for found in written(Path(directory)):
                self.line(self.text(found), whole=True)
        self.line(self.text(f"Next: {next_step(report, directory)}"), whole=True)

    def heading(self, title: str, remark: str = "") -> None:
        self.line()
        self.line(self.text(title, "bold"), self.text(f"  {remark}" if remark else "", "dim"))

    def problems(self, lines: Sequence[Line]) -> None:
        if not lines:
            return
        self.heading(count(len(lines), "problem"))
        for line in lines[:_MOST_PROBLEMS]:
            style = _STYLES["differs" if line.kind == "differs" else "error cell"]
            self.line(self.text("  " + line.text, style), whole=True)
        if len(lines) > _MOST_PROBLEMS:
            self.line(
                self.text(f"  and {len(lines) - _MOST_PROBLEMS} more; all are in report.html")
            )

    def experiment(self, experiment: Experiment) -> None:
        self.heading(experiment.name, experiment.title)
        data = experiment.data
        if data is not None:
            kind = "SYNTHETIC DATA" if data.synthetic else f"{data.kind} data"
            self.line(
                self.text(kind, "bold magenta" if data.synthetic else "dim"),
                self.text(f": {data_text(data)}", "dim"),
            )
        found = rows(self.report, experiment.name)
        if found and self.console.width < self.table_width():
            self.blocks(found)
        elif found:
            self.console.print(self.table(found))

    def table_width(self) -> int:
        """Columns that a table needs so that no number is cut."""
        return _NARROWEST + 9 * len(backends(self.report))

    def blocks(self, found: Sequence[Row]) -> None:
        """The rows as lines, for a terminal that is too narrow for a table."""
        for row in found:
            variant, quantities, *values, verdict = self.row(row)[: 3 + len(row.cells)]
            self.line(variant, self.text("  "), *Text(" ").join(verdict.split("\n")).split("\n"))
            for name, shown in zip(row.cells, values, strict=True):
                numbers = " ".join(
                    f"{quantity} {number}" if quantity else number
                    for quantity, number in zip_longest(
                        quantities.plain.split("\n"), shown.plain.split("\n"), fillvalue=""
                    )
                )
                self.line(self.text(f"  {name}: {numbers}"))

    def table(self, found: Sequence[Row]) -> Table:
        every = [row for name in self.report.experiments for row in rows(self.report, name)]
        table = self.empty_table()
        # The same widths in every table, so that the columns line up down the page.
        width = max(len(row.variant) for row in every)
        table.add_column("variant", min_width=min(width, 20), overflow="fold")
        width = max((len(name) for row in every for name in row.quantities), default=0)
        table.add_column("metric", min_width=min(width, 20), overflow="fold")
        for name in backends(self.report):
            table.add_column(self.text(name), justify="right", min_width=8, overflow="fold")
        table.add_column("worst case", min_width=15, overflow="fold")
        if self.wide:
            table.add_column("where", overflow="fold")
        for row in found:
            table.add_row(*self.row(row))
        return table

    def row(self, row: Row) -> list[Text]:
        worst = row.agreement.worst
        limited = row.agreement.undecidable and not row.agreement.differing
        kind = "undecidable" if limited else str(row.agreement.verdict or "")
        style = _STYLES.get(kind, "dim")
        verdict = self.text(row.agreement.text, style)
        if worst is not None:
            verdict = Text.assemble(verdict, "\n", self.text(measured_against(worst)))
        values = [
            self.text("\n".join(value(last_value(cell, name)) for name in row.quantities))
            if cell and cell.ok
            else self.text(
                cell.status if cell else NOTHING, _STYLES["error cell"] if cell else "dim"
            )
            for cell in row.cells.values()
        ]
        parts = [
            self.text(row.variant, "bold"),
            self.text("\n".join(row.quantities)),
            *values,
            verdict,
        ]
        if self.wide:
            where = ""
            if worst is not None:
                at = "after training" if worst.epoch is None else f"epoch {worst.epoch}"
                at = "before training" if worst.level == 0 else at
                where = f"{worst.quantity}\n{at}, {worst.backend}"
            parts.append(self.text(where, "dim"))
        return parts

    def pipelines(self) -> None:
        names = pipelines(self.report)
        if len(names) < 2:
            return
        self.heading("Pipelines", "the tables above show the first one that has results")
        table = self.empty_table()
        table.add_column("pipeline")
        for backend in backends(self.report):
            table.add_column(self.text(backend), overflow="fold")
        judged = grouped(self.report.comparisons, place)
        for pipeline in names:
            parts = [self.text(pipeline)]
            for backend in backends(self.report):
                states = [
                    state(cell, self.report, judged.get(cell_place, ()))
                    for cell in shown_cells(self.report)
                    if (cell.backend, cell.pipeline) == (backend, pipeline)
                    for cell_place in [(cell.experiment, cell.variant, backend, pipeline)]
                ]
                parts.append(self.tally([(each.kind, each.text) for each in states]))
            table.add_row(*parts)
        self.console.print(table)

    def tally(self, states: Sequence[tuple[str, str]]) -> Text:
        if not states:
            return self.text(NOTHING, "dim")
        # "agrees to epoch 40" and "agrees to epoch 45" are one kind of outcome here.
        short = [
            (kind, "agrees in part" if kind == "undecidable" else words) for kind, words in states
        ]
        parts = [
            self.text(
                f"{len(group)} {words}",
                _STYLES["error cell"] if kind == "error" else _STYLES.get(kind, ""),
            )
            for (kind, words), group in grouped(short, lambda each: each).items()
        ]
        return Text("\n").join(parts)

    def claims(self) -> None:
        found = claim_rows(self.report)
        if not found:
            return
        self.heading("Published findings", "they do not change the verdict")
        table = self.empty_table()
        table.add_column("holds", min_width=9)
        table.add_column("finding", ratio=5, overflow="fold")
        table.add_column("published", ratio=3, overflow="fold")
        table.add_column("measured", ratio=4, overflow="fold")
        for experiment, claims in grouped(found, lambda claim: claim.experiment).items():
            synthetic = self.report.experiments[experiment].synthetic
            note = self.text("on synthetic data" if synthetic else "", "magenta")
            table.add_row("", self.text(experiment, "bold"), "", note)
            for claim in claims:
                table.add_row(
                    self.text(claim.text, _STYLES.get(claim.text, "dim")),
                    self.text(claim.statement),
                    self.text(claim.published, "dim"),
                    self.text("\n".join(measured_lines(claim))),
                )
        self.console.print(table)

    def empty_table(self) -> Table:
        return Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, header_style="dim")
