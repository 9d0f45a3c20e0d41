"""Option values of the command line: what is accepted, and what is said of what is not."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import click

from backends_matrix.errors import CallError
from backends_matrix.run.cell import BACKENDS
from portable_models.built_in import BUILT_IN


def check_experiments(experiments: Sequence[str]) -> None:
    """Answer a wrong name at once, without starting a worker.

    Raises:
        CallError: a name that is neither built in nor of the form ``package.module:object``.
    """
    for name in experiments:
        if name not in BUILT_IN and not all(name.partition(":")):
            raise CallError(
                f"unknown experiment {name!r}: expected {', '.join(BUILT_IN)}, or package.module:object"
                + _nearest(name, BUILT_IN)
            )


def check_data(context: click.Context, option: click.Parameter, value: str) -> str:
    """``sample``, ``full`` or a path that exists, made absolute."""
    del context, option
    if value in ("sample", "full"):
        return value
    if not Path(value).exists():
        raise CallError(
            f"--data {value} does not exist: expected sample, full, or a file or folder"
        )
    return str(Path(value).resolve())


def names(
    what: str, known: Collection[str]
) -> Callable[[click.Context, click.Parameter, str], tuple[str, ...]]:
    """A callback that reads a comma-separated list of known names."""

    def read(context: click.Context, option: click.Parameter, value: str) -> tuple[str, ...]:
        del context, option
        given = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
        for name in given:
            if name not in known:
                raise CallError(
                    f"unknown {what} {name!r}: expected one of {', '.join(known)}{_nearest(name, known)}"
                )
        if not given:
            raise CallError(f"no {what} is given: expected one or more of {', '.join(known)}")
        return given

    return read


class EpochsOption(click.ParamType[tuple[str, int]]):
    """``N``, or ``EXPERIMENT[/VARIANT]=N``, as a pair of place and number."""

    name = "[PLACE=]N"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Read one value."""
        place, _, number = str(value).rpartition("=")
        if not number.isdigit() or int(number) < 1:
            self.fail(
                f"{value!r}: expected N or EXPERIMENT[/VARIANT]=N with N at least 1", param, ctx
            )
        return place, int(number)


class SetupOption(click.ParamType[tuple[str, str]]):
    """``BACKEND=package.module:function`` as a pair."""

    name = "BACKEND=FUNCTION"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Read one value."""
        backend, _, function = str(value).partition("=")
        if backend not in BACKENDS or not all(function.partition(":")):
            self.fail(f"{value!r}: expected BACKEND=package.module:function", param, ctx)
        return backend, function


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
