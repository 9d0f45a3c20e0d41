"""Run a matrix for a command: progress, reports, verdict, exit code."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from backends_matrix import report as reports
from backends_matrix.cli.messages import complain
from backends_matrix.cli.options import check_experiments
from backends_matrix.cli.progress import ConsoleProgress
from backends_matrix.report.assembly import EXIT_CODES
from backends_matrix.run.matrix_run import matrix as run_matrix
from backends_matrix.run.settings import MatrixSettings

RENDERING = "backends_matrix.report.render"


def execute(experiments: Sequence[str], settings: MatrixSettings) -> None:
    """Run, write the reports, show the verdict, and exit with its code."""
    check_experiments(experiments)
    # What draws the report is imported while the workers import their frameworks. Not as a daemon: a process
    # that ends within an import may crash.
    threading.Thread(target=importlib.import_module, args=(RENDERING,)).start()
    with ConsoleProgress(Console(stderr=True)) as observer:
        document = run_matrix(
            experiments, settings, observer=observer, command=["portable", *sys.argv[1:]]
        )
    reports.render_all(document, settings.out, timed=True)
    # With the time that the figures took.
    show_and_exit(reports.read(settings.out), settings.out)


def show_and_exit(document: dict[str, Any], directory: Path) -> None:
    """Show a report and end the command with the exit code of its verdict."""
    reports.show(document, directory)
    if document.get("interrupted"):
        done = sum(cell["status"] == "ok" for cell in document["cells"])
        complain(
            f"interrupted; {done} of {len(document['cells'])} cells finished and are kept in {directory}. "
            "The same command with --resume goes on from there"
        )
    sys.exit(EXIT_CODES[document["verdict"]])
