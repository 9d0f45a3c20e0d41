"""The command ``portable export``: a ``.keras`` file to a target, proven there."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import click
from rich.table import Table

from backends_matrix.errors import CallError, RunError
from backends_matrix.report.console import SafeConsole
from backends_matrix.run.cell import BACKENDS
from portable_models.export import (
    ROUTES,
    Check,
    ExportError,
    ExportResult,
    MissingPackageError,
    Order,
    Status,
    export_many,
)
from portable_models.export.probes import EXPORTED_BATCH

EXIT_INTERRUPTED = 3
"""It could not be run to its end; 1 would say that a difference was found."""


def _facts(
    context: click.Context, parameter: click.Parameter, value: Path | None
) -> dict[str, Any]:
    """The JSON object in a file."""
    del context, parameter
    if value is None:
        return {}
    try:
        facts = json.loads(value.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise CallError(f"--facts {value}: no JSON in it: {error}") from error
    if not isinstance(facts, dict):
        raise CallError(
            f'--facts {value}: expected a JSON object such as {{"classes": ["no", "yes"]}}'
        )
    return facts


def _sizes(
    context: click.Context, parameter: click.Parameter, value: tuple[str, ...]
) -> dict[str, int]:
    """Sizes by the name of an axis."""
    del context, parameter
    found = {}
    for each in value:
        name, _, number = each.partition("=")
        if not name or not number.isdecimal() or int(number) < 1:
            raise CallError(
                f"--size {each}: expected AXIS=N with a whole number, such as length=64"
            )
        found[name] = int(number)
    return found


@click.command("export")
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.keras")
@click.option("--to", "target", required=True, metavar="|".join(ROUTES), help="The target.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Where the artifact goes."
)
@click.option(
    "--verify/--no-verify",
    default=True,
    show_default=True,
    help="Run the artifact without Keras and compare it with the model.",
)
@click.option("--force", is_flag=True, help="Replace what is at --out.")
@click.option(
    "--import",
    "imports",
    multiple=True,
    metavar="MODULE",
    help="A module that registers the model's own classes; may be repeated.",
)
@click.option(
    "--source",
    type=click.Choice(BACKENDS),
    help="Where the expected numbers come from. [default: the backend that wrote the file]",
)
@click.option(
    "--batch",
    type=click.IntRange(min=2),
    default=EXPORTED_BATCH,
    show_default=True,
    help="Rows of the batch that latency is measured at; the artifact takes any.",
)
@click.option(
    "--facts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=_facts,
    help='JSON for the model card, such as {"classes": ["no", "yes"], "metrics": {"accuracy": 0.9}}.',
)
@click.option(
    "--sample",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.npz",
    help="Inputs as the model meets them, named as the inputs; compared besides the drawn ones.",
)
@click.option(
    "--size",
    "sizes",
    multiple=True,
    metavar="AXIS=N",
    callback=_sizes,
    help="A size for a free axis, in the artifact too: length=64, height=32, image.1=32.",
)
@click.option(
    "--allow-random",
    is_flag=True,
    help="Let an artifact stand whose outputs are random; they are not compared.",
)
@click.option("--trainable", is_flag=True, help="Let the gradients of a SavedModel decide too.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(as_json: bool, **options: Any) -> None:
    """Write MODEL.keras for a target and prove it there.

    The artifact is run in the target's own runtime, in a process without Keras, on random inputs and on
    edges, and compared with the model. A model card goes beside it (OUT.card.json, OUT.card.md).

    Exit codes: 0 verified; 1 other numbers, or it does not run (the artifact is removed); 2 the call is
    wrong; 3 the target cannot hold the model, or a package is missing.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    order = Order(**options)
    console = SafeConsole(stderr=True)
    try:
        with console.status(f"exporting {order.model.name} to {order.target}"):
            (result,) = export_many([order], progress=lambda line: console.print(line, style="dim"))
    except ExportError as error:
        raise CallError(str(error)) from error
    except MissingPackageError as error:
        raise RunError(str(error)) from error
    except KeyboardInterrupt:
        click.echo(f"portable: interrupted; nothing was left at {order.out}", err=True)
        sys.exit(EXIT_INTERRUPTED)
    if as_json:
        click.echo(json.dumps(result.to_dict(), indent=1))
    else:
        show(result, SafeConsole())
    sys.exit(result.exit_code)


def show(result: ExportResult, console: SafeConsole) -> None:
    """Print a result for a person."""
    verdict = {Status.VERIFIED: "green", Status.UNVERIFIED: "yellow"}.get(result.status, "red")
    console.print(f"[{verdict}]{result.status}[/]: {result.reason or result.path}", soft_wrap=True)
    console.print(f"route: Keras on {result.route['hub']}; " + "; ".join(result.route["steps"]))
    for note in result.notes:
        console.print(f"note: {note}", soft_wrap=True, markup=False)
    if result.checks:
        console.print(_checks(result))
        largest = result.difference or 0.0
        console.print(
            f"{len(result.checks)} comparisons with {result.reference['model']} under Keras on "
            f"{result.reference['backend']}; the largest difference is {largest:.1e} of the scale"
        )
    if result.path:
        latency = ", ".join(f"{who} {value * 1e3:.2f} ms" for who, value in result.latency.items())
        console.print(f"{result.size_bytes:,} bytes; {latency or 'latency not measured'}")
        console.print(f"model card: {result.path}.card.md", soft_wrap=True)


def _checks(result: ExportResult) -> Table:
    table = Table("check", "difference", "allowed", "")
    for check in result.checks:
        difference = "none" if check.difference is None else f"{check.difference:.1e}"
        table.add_row(check.name, difference, f"{check.tolerance:.1e}", _verdict(check))
    return table


def _verdict(check: Check) -> str:
    if check.passed:
        return "pass"
    return "FAIL" if check.decides else "beyond (reported only)"


def _interrupt(number: int, frame: FrameType | None) -> None:
    """A polite end (``kill``) cleans up as Ctrl-C does."""
    del number, frame
    raise KeyboardInterrupt
