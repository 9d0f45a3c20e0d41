"""The command ``portable run``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from backends_matrix.cli.execution import execute
from backends_matrix.cli.shared_options import add_shared_options, read_shared_options
from backends_matrix.errors import RunError
from backends_matrix.run.cell import BACKENDS
from backends_matrix.run.environment import default_backend
from backends_matrix.run.settings import MatrixSettings


@click.command("run")
@click.argument("experiment")
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    default=None,
    help="Default: $KERAS_BACKEND, else the first installed.",
)
@click.option("--epochs", type=click.IntRange(min=1), default=None, help="Epochs of every variant.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("portable-run"),
    show_default=True,
)
@add_shared_options
def command(
    experiment: str, backend: str | None, epochs: int | None, out: Path, **shared: Any
) -> None:
    """Run one EXPERIMENT on one backend.

    EXPERIMENT is imdb, boston, regularization, or package.module:object.
    """
    settings = MatrixSettings(
        out=out,
        backends=(backend or _default_backend(),),
        epochs={} if epochs is None else {"": epochs},
        replicas=0,
        **read_shared_options(shared),
    )
    execute([experiment], settings)


def _default_backend() -> str:
    found = default_backend()
    if found is None:
        raise RunError(
            'no backend is installed; install one with pip install "portable-models[jax]"'
        )
    return found
