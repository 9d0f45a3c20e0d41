"""The command ``portable check``."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from backends_matrix.check.api import check as run_check
from backends_matrix.check.expected import read_expected
from backends_matrix.check.github import github_annotations
from backends_matrix.check.junit import render
from backends_matrix.check.settings import (
    DEFAULT_MEMORY,
    DEFAULT_REDUCE_TIME,
    DEFAULT_TIMEOUT,
    CheckSettings,
)
from backends_matrix.check.terminal import show
from backends_matrix.cli.options import names
from backends_matrix.cli.shared_options import DEVICE
from backends_matrix.errors import RunError
from backends_matrix.run.cell import BACKENDS


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option(
    "--backends",
    default=",".join(BACKENDS),
    show_default=True,
    callback=names("backend", BACKENDS),
    help="Comma-separated.",
)
@click.option(
    "--sample",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.npz",
    help="Inputs (x, x/NAME or x0, x1 ...) and targets (y), instead of made ones.",
)
@click.option(
    "--expected",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.toml",
    help='Failures that are known: "check" or "check@backend" = "reason", below [expected].',
)
@click.option("--strict", is_flag=True, help="An expected failure that passes is a failure.")
@click.option("--export", is_flag=True, help="Export to every target too, and verify it there.")
@click.option(
    "--reduce",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a short script for each failure that shows it with Keras and NumPy alone.",
)
@click.option(
    "--reduce-time",
    type=click.FloatRange(min=0, min_open=True),
    default=DEFAULT_REDUCE_TIME,
    show_default=True,
    metavar="S",
    help="Seconds that the search for one such script may take.",
)
@click.option("--trust", is_flag=True, help="Run the code inside of .keras files (Lambda).")
@click.option(
    "--allow",
    multiple=True,
    metavar="PACKAGE",
    help="Packages whose classes .keras files may name.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=DEFAULT_TIMEOUT,
    show_default=True,
    help="Seconds that a stage may take on a backend.",
)
@click.option(
    "--memory",
    type=click.IntRange(min=1),
    default=DEFAULT_MEMORY >> 20,
    show_default=True,
    metavar="MIB",
    help="Memory that a target may use beyond its framework's.",
)
@DEVICE
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of weights, inputs and draws.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Processes at a time. [default: one for each core; one on a card]",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the result as JSON.",
)
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the result as JUnit XML.",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the result as a page: a table of layers and the error of each.",
)
@click.option(
    "--github",
    is_flag=True,
    help="Print GitHub annotations. [default: where GITHUB_ACTIONS is set]",
)
def check(
    targets: tuple[str, ...],
    json_file: Path | None,
    junit: Path | None,
    html: Path | None,
    github: bool,
    expected: Path | None,
    memory: int,
    **options: Any,
) -> None:
    """Check whether Keras 3 models mean the same on JAX, TensorFlow and PyTorch.

    TARGET is FILE.py (its build_model), FILE.py:OBJECT, PACKAGE.MODULE:OBJECT, FILE.keras, or a folder.

    Exit codes: 0 all are portable; 1 one is not; 2 the call is wrong; 3 something could not be run.
    """
    settings = CheckSettings(
        expected=read_expected(expected) if expected else {}, memory=memory << 20, **options
    )
    console = Console(stderr=True)
    with console.status("checking") as status:
        report = run_check(list(targets), settings=settings, progress=_teller(console, status))
    show(report, Console())
    if github or os.environ.get("GITHUB_ACTIONS") == "true":
        for line in github_annotations(report):
            click.echo(line)
    try:
        if json_file is not None:
            json_file.write_text(json.dumps(report.to_dict(), indent=1) + "\n", encoding="utf-8")
        if junit is not None:
            junit.write_text(render(report), encoding="utf-8")
        if html is not None:
            # Drawing needs Matplotlib, which takes a second to import.
            from backends_matrix.check.page import render as render_page

            html.write_text(render_page(report), encoding="utf-8")
    except OSError as error:
        raise RunError(f"the report cannot be written: {error}") from error
    sys.exit(report.exit_code)


_SELDOM = 5.0
"""Seconds between two lines of progress in a log."""


def _teller(console: Console, status: Status) -> Callable[[str], None]:
    """Show progress at the spinner; where there is no terminal, print some lines of a reduction."""
    last = 0.0

    def tell(line: str) -> None:
        nonlocal last
        status.update(escape(line))
        if not console.is_terminal and ": reduce " in line and time.monotonic() > last + _SELDOM:
            last = time.monotonic()
            console.print(escape(line), soft_wrap=True)

    return tell
