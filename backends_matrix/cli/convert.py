"""The command ``portable convert``: a foreign ``.keras`` file made neutral, without Keras."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from backends_matrix.errors import CallError, RunError
from portable_models.files import FileError
from portable_models.files import convert as convert_file


@click.command("convert")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("destination", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--allow",
    multiple=True,
    metavar="PACKAGE",
    help="Accept objects of this package besides those of Keras; may be repeated.",
)
@click.option(
    "--import",
    "imports",
    multiple=True,
    metavar="MODULE",
    help="A module whose classes the file may hold, as in portable export; nothing is imported.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the changes as JSON.")
def command(
    source: Path, destination: Path, allow: tuple[str, ...], imports: tuple[str, ...], as_json: bool
) -> None:
    """Write SOURCE, a .keras file of any backend, to DESTINATION so that every backend reads it alike.

    Prints what was changed. A file that holds code, reaches outside itself or is damaged is refused
    with one line and exit code 3; nothing of it is executed, and nothing is written.
    """
    if destination.suffix != ".keras":
        raise CallError(f"{destination}: expected a name that ends in .keras; Keras opens no other")
    if not destination.parent.is_dir():
        raise CallError(f"{destination}: there is no folder {destination.parent}; make it first")
    try:
        packages = (*allow, *(name.partition(".")[0] for name in imports))
        changes = convert_file(source, destination, allow=packages)
    except FileError as error:
        raise RunError(str(error)) from error
    if as_json:
        click.echo(json.dumps([asdict(change) for change in changes], indent=1))
        return
    for change in changes:
        click.echo(str(change))
    if not changes:
        click.echo("nothing had to be changed")
    click.echo(f"written: {destination}")
