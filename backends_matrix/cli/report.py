"""The command ``portable report``."""

from __future__ import annotations

from pathlib import Path

import click

from backends_matrix import report as reports
from backends_matrix.cli.execution import show_and_exit


@click.command("report")
@click.argument("directory", type=click.Path(path_type=Path))
def command(directory: Path) -> None:
    """Render the reports of DIRECTORY again from its report.json."""
    document = reports.read(directory)
    reports.render_all(document, directory)
    show_and_exit(document, directory)
