"""The command ``portable matrix``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from backends_matrix.cli.execution import execute
from backends_matrix.cli.options import EpochsOption, names
from backends_matrix.cli.shared_options import (
    JOBS,
    PIPELINES_OPTION,
    add_shared_options,
    read_shared_options,
)
from backends_matrix.run.cell import BACKENDS
from backends_matrix.run.settings import DEFAULT_REPLICAS, MOST_REPLICAS, STEPS, MatrixSettings
from portable_models.built_in import BUILT_IN


@click.command("matrix")
@click.argument("experiments", nargs=-1, metavar="[EXPERIMENT]...")
@click.option(
    "--backends",
    default=",".join(BACKENDS),
    show_default=True,
    callback=names("backend", BACKENDS),
    help="Comma-separated; the first installed one is the reference.",
)
@PIPELINES_OPTION
@click.option(
    "--epochs",
    type=EpochsOption(),
    multiple=True,
    help="N for all, or EXPERIMENT[/VARIANT]=N; may be repeated.",
)
@click.option(
    "--replicas",
    type=click.IntRange(min=0),
    default=DEFAULT_REPLICAS,
    show_default=True,
    help="Replicas that measure the noise floor: half on the reference, half on another backend.",
)
@click.option(
    "--most-replicas",
    type=click.IntRange(min=0),
    default=MOST_REPLICAS,
    show_default=True,
    help="Where a difference is found, replicas are added up to this number before it is reported.",
)
@click.option(
    "--steps",
    type=click.Choice(STEPS),
    default="doubt",
    show_default=True,
    help="Judge single steps in float64: never, where a difference was found, or always.",
)
@JOBS
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("portable-matrix"),
    show_default=True,
)
@add_shared_options
def command(experiments: Sequence[str], epochs: Sequence[tuple[str, int]], **options: Any) -> None:
    """Run EXPERIMENTs on all backends and judge whether they agree.

    Without an EXPERIMENT the three built-in ones run: imdb, boston, regularization.
    """
    shared = read_shared_options(options)
    execute(list(experiments) or list(BUILT_IN), MatrixSettings(epochs=dict(epochs), **shared))
