"""``portable compare``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from backends_matrix import report as reports
from backends_matrix.errors import CallError
from backends_matrix.judge.run_comparison import compare_runs
from backends_matrix.report.assembly import EXIT_CODES
from backends_matrix.report.json_file import write_file

Folder = click.Path(path_type=Path)


@click.command("compare")
@click.argument("first", metavar="DIR1", type=Folder)
@click.argument("second", metavar="DIR2", type=Folder)
@click.option(
    "--json",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the comparison as a document like report.json.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write report.json, report.html, junit.xml and figures to this folder.",
)
def command(first: Path, second: Path, file: Path | None, out: Path | None) -> None:
    """Judge the run in DIR2 by the run in DIR1: two machines, two versions or two devices.

    Both are folders that 'portable matrix --out DIR' or 'portable run --out DIR' has written; nothing is
    trained. Each experiment, variant, backend and pipeline is held against its counterpart.

    Exit codes: 0 all agree; 1 a difference was found; 2 the call is wrong, or a folder holds no run that can
    be read; 3 nothing can be compared, or a cell of one of the two has no result.
    """
    if out is not None:
        _check_out(out, first, second)
    document = compare_runs(first, second, command=["portable", *sys.argv[1:]])
    if file is not None:
        write_file(document, file)
    if out is not None:
        reports.render_all(document, out)
    reports.show(document, out)
    sys.exit(EXIT_CODES[document["verdict"]])


def _check_out(out: Path, *runs: Path) -> None:
    """A run is not overwritten, nor any other file: only an earlier comparison is.

    Raises:
        CallError: the folder holds something else.
    """
    if any(out.resolve() == run.resolve() for run in runs):
        raise CallError(f"--out {out} is one of the two runs; give a folder of its own")
    try:
        held = sorted(path.name for path in out.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise CallError(f"--out {out} cannot be written to: {error.strerror}") from None
    if held and not _is_comparison(out):
        raise CallError(
            f"--out {out} holds other files ({held[0]}, …); give an empty or new folder"
        )


def _is_comparison(out: Path) -> bool:
    try:
        document: dict[str, Any] = reports.read(out)
    except reports.ReportError:
        return False
    return "runs" in document
