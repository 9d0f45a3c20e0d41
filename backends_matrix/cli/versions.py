"""The commands ``portable versions list`` and ``portable versions verify``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table as Grid

from backends_matrix.errors import CallError
from backends_matrix.report.console import SafeConsole
from backends_matrix.versions import (
    Finding,
    Row,
    Tag,
    VersionsError,
    load,
    read_verified,
    verify_rows,
)

EXIT_UNEXPECTED, EXIT_NOT_RUN = 1, 3
TAG = click.Choice([tag.value for tag in Tag])


@click.group("versions", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Which versions of Keras and of a backend work together."""
    if context.invoked_subcommand is None:
        context.invoke(list_rows)


@command.command("list")
@click.option("--tag", type=TAG, default=Tag.ALL.value, show_default=True, help="Only this group.")
def list_rows(tag: str = Tag.ALL.value) -> None:
    """Show the rows, what is expected of each, and what was found when it was last verified."""
    findings = read_verified()
    grid = Grid("row", "backend", "tags", "claim", "expected", "found", "verified")
    for row in load().select(tag=Tag(tag)):
        finding = findings.get(row.name)
        grid.add_row(
            *map(
                escape, (row.name, row.backend, " ".join(sorted(row.tags)), row.claim, row.expected)
            ),
            "" if finding is None else escape(_found(finding)),
            "not yet" if finding is None else finding.date,
        )
    # A pipe has no width of its own, and names are no use to a script when they are cut.
    SafeConsole(width=None if sys.stdout.isatty() else 200).print(grid)


@command.command()
@click.argument("names", nargs=-1, metavar="[ROW]...")
@click.option("--tag", type=TAG, default=None, help="Every row of this group.  [default: cheap]")
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Keep what was found in this JSON file, and versions.md beside it.",
)
def verify(names: Sequence[str], tag: str | None, record: Path | None) -> None:
    """Make the environment of each ROW with uv or pip, train in it, and remove it again.

    Exit codes: 0 every row did what the table says; 1 one did not; 2 there is no such row; 3 one could
    not be run.
    """
    if names and tag:
        raise CallError(
            f"rows and a tag were given; give the rows ({', '.join(names)}) or --tag {tag}"
        )
    group = None if names else Tag(tag or Tag.CHEAP)
    try:
        findings = verify_rows(names, group, record=record, announce=_announce)
    except VersionsError as error:
        raise CallError(str(error)) from None
    good = sum(finding.as_expected for finding in findings)
    click.echo(f"{good} of {len(findings)} rows as expected")
    if any(finding.outcome is None for finding in findings):
        sys.exit(EXIT_NOT_RUN)
    sys.exit(0 if good == len(findings) else EXIT_UNEXPECTED)


def _announce(row: Row, finding: Finding | None) -> None:
    if finding is None:
        click.echo(f"{row.name}: {' '.join((*row.packages, *row.without_dependencies))}", err=True)
    else:
        click.echo(f"{row.name}: {_found(finding)}")


def _found(finding: Finding) -> str:
    outcome = finding.outcome or "could not be run"
    verdict = "" if finding.as_expected else ", NOT AS EXPECTED"
    return f"{outcome}{verdict}" + (f": {finding.detail}" if finding.detail else "")
