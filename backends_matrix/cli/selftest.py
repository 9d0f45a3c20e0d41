"""``portable selftest``."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from backends_matrix.cli.options import names
from backends_matrix.report.console import SafeConsole
from backends_matrix.run.cell import BACKENDS
from backends_matrix.run.environment import installed
from backends_matrix.selftest.catalogue import FAULTS
from backends_matrix.selftest.outcome import CleanOutcome, FaultOutcome, Outcome
from backends_matrix.selftest.runner import run

DEFAULT_SEEDS = 8
_NAMES = tuple(fault.name for fault in FAULTS)


@click.command("selftest")
@click.option(
    "--backends",
    default=",".join(each for each in BACKENDS if installed(each)) or BACKENDS[0],
    show_default=True,
    callback=names("backend", BACKENDS),
    help="The first is the reference; faults are planted on the last.",
)
@click.option("--fault", "chosen", multiple=True, type=click.Choice(_NAMES), help="Default: all.")
@click.option(
    "--seeds",
    type=click.IntRange(min=0),
    default=DEFAULT_SEEDS,
    show_default=True,
    help="Clean trainings of every variant with this many seeds.",
)
@click.option("--json", "file", type=click.Path(path_type=Path, dir_okay=False))
def command(
    backends: tuple[str, ...], chosen: tuple[str, ...], seeds: int, file: Path | None
) -> None:
    """Plant faults on one backend and see whether they are found; train cleanly and see nothing.

    Exit codes: 0 every fault is found and named, and there is no alarm; 1 one is missed or misnamed, or a
    clean training raises an alarm; 3 something could not be run.
    """
    lines = SafeConsole(stderr=True)
    faults = [fault for fault in FAULTS if not chosen or fault.name in chosen]

    def report(outcome: FaultOutcome | CleanOutcome) -> None:
        lines.print(_line(outcome), markup=False, highlight=False)

    found = asyncio.run(run(faults, range(seeds), backends, report=report))
    if file is not None:
        file.write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")
    SafeConsole().print(_table(found))
    alarms = [each for each in found.clean if each.alarms]
    right = sum(each.right for each in found.faults)
    made = sum(each.comparisons for each in found.clean)
    click.echo(
        f"{right} of {len(found.faults)} faults on {found.faulty} found and named; {len(alarms)} false "
        f"alarms in {len(found.clean)} clean trainings with {made:,} comparisons"
    )
    if any(each.error for each in found.faults):
        sys.exit(3)
    sys.exit(0 if found.passed else 1)


def _line(outcome: FaultOutcome | CleanOutcome) -> str:
    if isinstance(outcome, CleanOutcome):
        said = "; ".join(outcome.alarms) or "nothing"
        return f"clean  {outcome.variant} on {outcome.backend}, seed {outcome.seed}: {said}"
    said = outcome.error or outcome.kind or "missed"
    return f"fault  {outcome.fault.name}: {said}"


def _named(outcome: FaultOutcome) -> str:
    """What was said of a fault; the whole sentence where the kind is right and the place is not."""
    misplaced = outcome.kind == outcome.fault.kind and not outcome.right
    return outcome.error or (outcome.said if misplaced else "") or outcome.kind or "missed"


def _table(found: Outcome) -> Table:
    table = Table("fault", "must be named", "was named", "levels", "difference / tolerance")
    for each in found.faults:
        table.add_row(
            each.fault.title,
            each.fault.kind + (f" in {each.fault.place}" if each.fault.place else ""),
            _named(each),
            ", ".join(map(str, each.levels)),
            f"{each.share:.2g}",
            style="" if each.right else "bold red",
        )
    return table
