"""The options that ``run``, ``matrix`` and ``certify`` have in common."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import click

from backends_matrix.cli.options import SetupOption, check_data, names
from backends_matrix.errors import CallError
from backends_matrix.run.cell import DEVICES, ENGINES
from backends_matrix.run.settings import DEFAULT_TIMEOUT
from portable_models.data.pipelines import PIPELINES

MOST_SECONDS = 1e7
"""Some four months. A number that is not finite cannot be waited for."""


def _refuse_nan(context: click.Context, option: click.Parameter, value: float) -> float:
    # A range holds every number that compares, and NaN does not.
    del context, option
    if math.isnan(value):
        raise CallError("--timeout nan is no number of seconds; give for instance --timeout 600")
    return value


DATA = click.option(
    "--data",
    default="sample",
    show_default=True,
    callback=check_data,
    metavar="sample|full|PATH",
    help="Embedded (its film reviews are synthetic), the full data, or a file or folder.",
)
DEVICE = click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="cpu",
    show_default=True,
    help="Where the backends compute; the judges in float64 stay on the CPU.",
)
JOBS = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=None,
    help="Workers that run at a time. [default: one for each core, or card]",
)
PIPELINES_OPTION = click.option(
    "--pipelines",
    default="numpy",
    show_default=True,
    callback=names("pipeline", PIPELINES),
    help=f"Comma-separated, of {', '.join(PIPELINES)}.",
)
SETUP = click.option(
    "--setup",
    multiple=True,
    type=SetupOption(),
    help="BACKEND=package.module:function, called in that backend's worker once keras is imported.",
)
TIMEOUT = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=MOST_SECONDS),
    callback=_refuse_nan,
    default=DEFAULT_TIMEOUT,
    show_default=True,
    help="Seconds without a finished epoch after which a training is given up.",
)
TRUST = click.option(
    "--trust", is_flag=True, help="Unpickle data files of unknown SHA-256; for your own files."
)


def add_shared_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the shared options to a command."""
    options = [
        DATA,
        click.option(
            "--seed", type=click.IntRange(min=0), default=0, help="Added to every recipe's seed."
        ),
        click.option(
            "--engine",
            type=click.Choice(ENGINES),
            default="compiled",
            show_default=True,
            help="Whole epochs as one program, or Model.fit, which also runs what cannot be compiled.",
        ),
        DEVICE,
        click.option(
            "--variant", "variants", multiple=True, help="Run only this variant; may be repeated."
        ),
        TRUST,
        click.option(
            "--resume", is_flag=True, help="Keep the finished cells of an earlier run in --out."
        ),
        click.option(
            "--checkpoint",
            type=click.IntRange(min=1),
            default=None,
            metavar="EPOCHS",
            help="Write a checkpoint of each training every so many epochs; --resume continues from it.",
        ),
        TIMEOUT,
        SETUP,
    ]
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)


def read_shared_options(options: dict[str, Any]) -> dict[str, Any]:
    """Turn the values of the shared options into fields of ``MatrixSettings``."""
    return {**options, "setup": dict(options["setup"])}
