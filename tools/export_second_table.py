"""``python tools/export_second_table.py``: models as people have them, to each target; the second table.

It writes the models of ``export_zoo_second.py`` on each backend, exports every file to every target, verifies
each, and writes the table between the markers of docs/export.md. Finished rows are kept in ``--work``; the
table holds the models that have rows there.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from export_rows import rows, train

from backends_matrix.run.cell import BACKENDS
from portable_models.export.routes import ROUTES

ZOO = Path(__file__).with_name("export_zoo_second.py")
BEGIN, END = "<!-- second table: begin -->", "<!-- second table: end -->"
LAYERS = ("export_zoo_layers",)

Row = Mapping[str, Any]


@click.command()
@click.option(
    "--model", "models", multiple=True, help="Models to export; default: none, write only."
)
@click.option("--source", "sources", multiple=True, type=click.Choice(BACKENDS), default=("jax",))
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    required=True,
    help="Where files and finished rows are kept.",
)
@click.option(
    "--page",
    "document",
    type=click.Path(path_type=Path),
    default=Path("docs/export.md"),
    show_default=True,
)
def main(models: tuple[str, ...], sources: tuple[str, ...], work: Path, document: Path) -> None:
    """Export models of the second zoo and write the table of all rows there are."""
    path = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
    os.environ["PYTHONPATH"] = path
    for source in sources:
        for name in models:
            kept = work / f"second-{source}-{name}.json"
            if kept.exists():
                continue
            files = train([name], source, work / source, click.echo, ZOO)
            made = rows(files, source, tuple(ROUTES), work / source, click.echo, {name: LAYERS})
            kept.write_text(json.dumps([asdict(row) for row in made], indent=1), encoding="utf-8")
    found = [
        row
        for kept in sorted(work.glob("second-*.json"))
        for row in json.loads(kept.read_text(encoding="utf-8"))
    ]
    document.write_text(
        inserted(document.read_text(encoding="utf-8"), page(found)), encoding="utf-8"
    )
    click.echo(f"{len(found)} rows written to {document}")
    sys.exit(0)


def inserted(document: str, table: str) -> str:
    """``document`` with ``table`` between its markers."""
    before, rest = document.split(BEGIN, 1)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.split(END, 1)[1]}"


def page(found: Sequence[Row]) -> str:
    """The table as Markdown: what came of each export, and the reasons under it."""
    cells = {(row["model"], row["source"], row["target"]): row for row in found}
    notes: list[str] = []
    head = ["model", "written on", *ROUTES]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for name, source in dict.fromkeys((name, source) for name, source, _ in cells):
        row = [f"`{name}`", source]
        row += [cell_text(cells.get((name, source, target)), notes) for target in ROUTES]
        lines.append("| " + " | ".join(row) + " |")
    counts = Counter(row["status"] for row in found)
    said = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    second = sum(bool(row["notes"]) and row["status"] == "verified" for row in found)
    return "\n".join(
        [
            f"{len(found)} exports ({said}); {second} of the verified ones by a second way.",
            "",
            *lines,
            "",
            *(f"{number}. {note}" for number, note in enumerate(notes, 1)),
        ]
    )


def cell_text(row: Row | None, notes: list[str]) -> str:
    """The difference where it is verified, else the status; with the number of a note where there is one."""
    if row is None:
        return ""
    verified = row["status"] == "verified"
    text = (
        f"{row['difference']:.0e}" if verified and row["difference"] is not None else row["status"]
    )
    note = "; ".join(row["notes"]) if verified else row["reason"]
    if not note:
        return str(text)
    note = note.replace("|", "/")
    if note not in notes:
        notes.append(note)
    return f"{text} ({notes.index(note) + 1})"


if __name__ == "__main__":
    main()
