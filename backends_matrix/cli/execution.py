"""Run a matrix for a command: progress, reports, verdict, exit code."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backends_matrix import report as reports
from backends_matrix.cli.exit_codes import EXIT_DIFFERENCE, EXIT_RUN
from backends_matrix.cli.messages import complain
from backends_matrix.cli.options import check_experiments
from backends_matrix.cli.progress import ConsoleProgress
from backends_matrix.report.assembly import EXIT_CODES
from backends_matrix.report.console import SafeConsole
from backends_matrix.run.settings import MatrixSettings

RENDERING = "backends_matrix.report.render"


def execute(experiments: Sequence[str], settings: MatrixSettings) -> None:
    """Run, write the reports, show the verdict, and exit with its code."""
    check_experiments(experiments)
    with ConsoleProgress(SafeConsole(stderr=True)) as observer:
        # The first line comes before the imports that take longest.
        observer.note(
            f"{', '.join(experiments)} on {', '.join(settings.backends)}; results go to {settings.out}"
        )
        from backends_matrix.report.matrix_report import matrix

        # What draws the report is imported while the workers import their frameworks. Not as a daemon: a
        # process that ends within an import may crash.
        threading.Thread(target=importlib.import_module, args=(RENDERING,)).start()
        found = matrix(
            experiments, settings, observer=observer, command=["portable", *sys.argv[1:]]
        )
        fault = ""
        observer.waiting("drawing the report")
        try:
            reports.render_all(found.document, settings.out, timed=True)
        except (reports.ReportError, OSError, KeyboardInterrupt) as error:
            fault = str(error) or "the report was not drawn: interrupted"
        observer.waited("drawing the report")
    # With the time that the figures took, if they were drawn.
    document = found.document if fault else reports.read(settings.out)
    code = _show(document, settings.out, written=not fault)
    if fault:
        # The verdict stands, but who looks for the report must not find an earlier one and believe it.
        complain(fault)
        code = code if code == EXIT_DIFFERENCE else EXIT_RUN
    sys.exit(code)


def show_and_exit(document: Mapping[str, Any], directory: Path) -> None:
    """Show a report and end the command with the exit code of its verdict."""
    sys.exit(_show(document, directory, written=True))


def _show(document: Mapping[str, Any], directory: Path, *, written: bool) -> int:
    """Print a report and give the exit code of its verdict, also where it cannot be printed."""
    code = EXIT_CODES[document["verdict"]]
    try:
        reports.show(document, directory if written else None)
    except OSError as error:
        complain(
            f"the verdict is {document['verdict']!r}, but the report cannot be printed: "
            f"{error.strerror or error}"
        )
        code = code if code == EXIT_DIFFERENCE else EXIT_RUN
    if document.get("interrupted"):
        done = sum(cell["status"] in ("ok", "diverged") for cell in document["cells"])
        complain(
            f"interrupted; {done} of {len(document['cells'])} cells finished and are kept in {directory}. "
            "The same command with --resume continues from there"
        )
    return code
