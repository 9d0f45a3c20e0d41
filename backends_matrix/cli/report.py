"""The command ``portable report``."""

from __future__ import annotations

from pathlib import Path

import click

from backends_matrix import report as reports
from backends_matrix.cli.execution import show_and_exit
from backends_matrix.errors import CallError


@click.command("report")
@click.argument("directory", type=click.Path(path_type=Path))
def command(directory: Path) -> None:
    """Render the reports of DIRECTORY again from its report.json."""
    if not (directory / "report.json").exists():
        raise CallError(
            f"there is no report.json in {directory}; "
            "name a folder that 'portable matrix --out DIR' has written"
        )
    document = reports.read(directory)
    reports.render_all(document, directory)
    show_and_exit(document, directory)
