"""Every model of the zoo, from every source, to every target: the rows, and the page they make."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from export_zoo_names import NAMES

from portable_models.export.comparison import RELATIVE
from portable_models.export.exporting import export_many, worker_environment
from portable_models.export.orders import Order
from portable_models.export.result import ExportResult
from portable_models.export.routes import ROUTES

ZOO = Path(__file__).with_name("export_zoo.py")
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


@dataclass(frozen=True)
class Row:
    """One model of the zoo from one source to one target.

    Args:
        model: a name of the zoo.
        source: the backend that trained and wrote it.
        target: the target's name.
        status: the outcome.
        difference: the largest difference of all checks as a part of the output's scale.
        beyond: how many checks lie above the flat tolerance and within the measured floor's.
        checks: how many comparisons were made.
        size_bytes: size of the artifact.
        reason: why it was refused or failed.
        versions: of all that took part.
        notes: a second way that was taken and why, outputs that were not compared.
        hub: the backend of the way that was taken.
    """

    model: str
    source: str
    target: str
    status: str
    difference: float | None
    beyond: int
    checks: int
    size_bytes: int
    reason: str
    versions: Mapping[str, str]
    notes: Sequence[str] = ()
    hub: str = ""


def train(
    names: Sequence[str],
    source: str,
    folder: Path,
    progress: Callable[[str], None],
    zoo: Path = ZOO,
) -> dict[str, Path]:
    """Train models of the zoo under ``source`` in one child process; returns their files by name.

    Raises:
        RuntimeError: a model could not be trained; the message holds the reason.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, str(zoo), str(folder), *names],
        env={**os.environ, **worker_environment(source, folder)},
        capture_output=True,
        text=True,
    )
    for name in done.stdout.split():
        progress(f"trained {name} on {source}")
    if done.returncode:
        raise RuntimeError(f"a model could not be trained on {source}: {done.stderr}")
    return {name: folder / f"{name}.keras" for name in names}


def rows(
    files: Mapping[str, Path],
    source: str,
    targets: Sequence[str],
    folder: Path,
    progress: Callable[[str], None],
    imports: Mapping[str, tuple[str, ...]] = MappingProxyType({"custom": (ZOO.stem,)}),
) -> list[Row]:
    """Export every file to every target and say what came of it.

    Args:
        files: model name -> ``.keras`` file.
        source: the backend that wrote them.
        targets: names of targets.
        folder: where the artifacts go.
        progress: called with a line for each stage.
        imports: model name -> modules that register its classes.
    """
    orders = [
        Order(
            model=file,
            target=target,
            out=folder / f"{name}-{target}{ROUTES[target].artifact.rstrip('/')}",
            source=source,
            force=True,
            imports=imports.get(name, ()),
        )
        for name, file in files.items()
        for target in targets
    ]
    results = export_many(orders, progress=progress)
    return [
        _row(order.model.stem, source, result)
        for order, result in zip(orders, results, strict=True)
    ]


def _row(model: str, source: str, result: ExportResult) -> Row:
    # Those that are only reported decide nothing, and are told in the notes.
    found = [
        check.difference
        for check in result.checks
        if check.decides and check.difference is not None
    ]
    return Row(
        model=model,
        source=source,
        target=result.target,
        status=str(result.status),
        difference=result.difference,
        beyond=sum(value > RELATIVE for value in found),
        checks=len(result.checks),
        size_bytes=result.size_bytes,
        reason=result.reason,
        versions=dict(result.versions),
        notes=tuple(result.notes),
        hub=str(result.route.get("hub", "")),
    )


def page(found: Iterable[Mapping[str, Any]]) -> str:
    """The table as Markdown, with the reasons under it and what it was made with."""
    cells = {(row["model"], row["source"], row["target"]): row for row in found}
    sources = list(dict.fromkeys(source for _, source, _ in cells))
    targets = [target for target in ROUTES if any(target == key[2] for key in cells)]
    notes: list[str] = []
    head = ["model", "written on", *targets]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for name, title in NAMES.items():
        for source in sources:
            chosen = [cells.get((name, source, target)) for target in targets]
            if any(chosen):
                row = [f"{title} (`{name}`)", source, *(_cell(cell, notes) for cell in chosen)]
                lines.append("| " + " | ".join(row) + " |")
    versions = {k: v for cell in cells.values() for k, v in cell["versions"].items()}
    return "\n".join(
        [
            textwrap.fill(_summary(list(cells.values())), 115),
            "",
            *lines,
            "",
            *(f"{number}. {note}" for number, note in enumerate(notes, 1)),
            "",
            "Made with " + ", ".join(f"{k} {v}" for k, v in sorted(versions.items())) + ".",
        ]
    )


def _summary(cells: Sequence[Mapping[str, Any]]) -> str:
    """How many exports came to what, and how large the differences are."""
    statuses = Counter(cell["status"] for cell in cells)
    verified = [cell for cell in cells if cell["status"] == "verified"]
    beyond = [cell["difference"] for cell in verified if cell["beyond"]]
    within = [cell["difference"] for cell in verified if not cell["beyond"]]
    counts = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    checks = sum(cell["checks"] for cell in cells)
    text = (
        f"{len(cells)} exports ({counts}), {checks:,} comparisons. A cell is the largest difference from the "
        f"source model as a part of the output's scale, over all checks. {len(within)} exports lie within "
        f"{RELATIVE:.0e} on every check, at most {max(within, default=0):.1e}."
    )
    if beyond:
        text += f" {len(beyond)} go beyond it on some check, up to {max(beyond):.1e}; the note says where."
    return text


def _cell(cell: Mapping[str, Any] | None, notes: list[str]) -> str:
    if cell is None:
        return ""
    note = cell["reason"]
    text = cell["status"] if cell["status"] != "verified" else _short(cell["difference"])
    if cell["status"] == "verified" and cell["beyond"]:
        note = (
            f"above {RELATIVE:.0e} only where the source model itself moves by more than a quarter of it "
            "when its weights and inputs move by one unit in the last place (large inputs, gradients)"
        )
    if not note:
        return str(text)
    if note not in notes:
        notes.append(note)
    return f"{text} ({notes.index(note) + 1})"


def _short(difference: float) -> str:
    return f"{difference:.0e}" if difference else "0"


def insert(document: str, table: str) -> str:
    """``document`` with ``table`` between its markers.

    Raises:
        ValueError: the document has no such markers.
    """
    if BEGIN not in document or END not in document:
        raise ValueError(f"the document has no {BEGIN} … {END} to write the table between")
    before, rest = document.split(BEGIN, 1)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.split(END, 1)[1]}"
