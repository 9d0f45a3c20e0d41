"""The command ``portable``; its help text holds the exit codes."""

from __future__ import annotations

import functools
import importlib
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from backends_matrix import report as reports
from backends_matrix.cell import BACKENDS, DEVICES, ENGINES
from backends_matrix.document import EXIT_CODES
from backends_matrix.environment import default_backend
from backends_matrix.matrix import matrix as run_matrix
from backends_matrix.options import EpochsOption, SetupOption, check_data, check_experiments, names
from backends_matrix.plan import (
    DEFAULT_REPLICAS,
    DEFAULT_TIMEOUT,
    MOST_REPLICAS,
    STEPS,
    CallError,
    MatrixSettings,
    RunError,
)
from backends_matrix.progress import ConsoleProgress
from backends_matrix.report.records import showable
from portable_models.built_in import BUILT_IN
from portable_models.data.pipelines import PIPELINES

EXIT_CALL, EXIT_RUN = 2, 3
RENDERING = "backends_matrix.report.render"

ELSEWHERE = ("compare", "convert", "export", "selftest", "versions")
"""Commands with a module each, ``cli_NAME``, which is imported when it is called."""

IN_PACKAGES = {"lint": "backends_matrix.lint.command"}
"""Commands whose module stands in a package of their own."""


class Group(click.Group):
    """Imports a command when it is called; turns the project's own errors into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted({*super().list_commands(ctx), *ELSEWHERE, *IN_PACKAGES})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, if there is one."""
        if cmd_name not in {*ELSEWHERE, *IN_PACKAGES}:
            return super().get_command(ctx, cmd_name)
        place = IN_PACKAGES.get(cmd_name, f"backends_matrix.cli_{cmd_name}")
        module = importlib.import_module(place)
        command: click.Command = getattr(module, cmd_name)
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command."""
        try:
            return super().main(*args, **kwargs)
        except CallError as error:
            _complain(str(error))
            sys.exit(EXIT_CALL)
        except (RunError, reports.ReportError) as error:
            _complain(str(error))
            sys.exit(EXIT_RUN)


def _complain(message: str) -> None:
    # One line, and nothing that a terminal would obey: a message may quote a file that came from elsewhere.
    click.echo(f"portable: error: {showable(message.replace(chr(10), ' '))}", err=True)


@click.group(
    cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="portable-models", prog_name="portable")
def main() -> None:
    """Prove that Keras 3 models mean the same on JAX, TensorFlow and PyTorch.

    Exit codes: 0 all agree; 1 a difference was found; 2 the call is wrong; 3 something could not be run.
    """


def _shared_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that ``run`` and ``matrix`` have in common."""
    options = [
        click.option(
            "--data",
            default="sample",
            show_default=True,
            callback=check_data,
            metavar="sample|full|PATH",
            help="Embedded (its film reviews are synthetic), the full data, or a file or folder.",
        ),
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
        click.option("--device", type=click.Choice(DEVICES), default="cpu", show_default=True),
        click.option(
            "--variant", "variants", multiple=True, help="Run only this variant; may be repeated."
        ),
        click.option(
            "--trust",
            is_flag=True,
            help="Unpickle data files of unknown SHA-256; for your own files.",
        ),
        click.option(
            "--resume", is_flag=True, help="Keep the finished cells of an earlier run in --out."
        ),
        click.option(
            "--checkpoint",
            type=click.IntRange(min=1),
            default=None,
            metavar="EPOCHS",
            help="Keep each training every so many epochs: --resume then goes on inside of a cell too.",
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            default=DEFAULT_TIMEOUT,
            show_default=True,
            help="Seconds without a finished epoch after which a cell is given up.",
        ),
        click.option(
            "--setup",
            multiple=True,
            type=SetupOption(),
            help="BACKEND=package.module:function, called in that backend's worker once keras is imported.",
        ),
    ]
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)


@main.command()
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
@_shared_options
def run(experiment: str, backend: str | None, epochs: int | None, out: Path, **shared: Any) -> None:
    """Run one EXPERIMENT on one backend.

    EXPERIMENT is imdb, boston, regularization, or package.module:object.
    """
    settings = MatrixSettings(
        out=out,
        backends=(backend or _default_backend(),),
        epochs={} if epochs is None else {"": epochs},
        replicas=0,
        **_settings(shared),
    )
    _execute([experiment], settings)


@main.command()
@click.argument("experiments", nargs=-1, metavar="[EXPERIMENT]...")
@click.option(
    "--backends",
    default=",".join(BACKENDS),
    show_default=True,
    callback=names("backend", BACKENDS),
    help="Comma-separated; the first installed one is the reference.",
)
@click.option(
    "--pipelines",
    default="numpy",
    show_default=True,
    callback=names("pipeline", PIPELINES),
    help=f"Comma-separated, of {', '.join(PIPELINES)}.",
)
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
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=None,
    help="Workers that run at a time. [default: one for each core]",
)
@click.option("--executor", type=click.Choice(["local"]), default="local", show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("portable-matrix"),
    show_default=True,
)
@_shared_options
def matrix(
    experiments: Sequence[str], epochs: Sequence[tuple[str, int]], executor: str, **options: Any
) -> None:
    """Run EXPERIMENTs on all backends and judge whether they agree.

    Without an EXPERIMENT the three built-in ones run: imdb, boston, regularization.
    """
    del executor  # there is one so far
    shared = _settings(options)
    _execute(list(experiments) or list(BUILT_IN), MatrixSettings(epochs=dict(epochs), **shared))


@main.command()
@click.argument("directory", type=click.Path(path_type=Path))
def report(directory: Path) -> None:
    """Render the reports of DIRECTORY again from its report.json."""
    document = reports.read(directory)
    reports.render_all(document, directory)
    _show(document, directory)


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "setup": dict(options["setup"])}


def _default_backend() -> str:
    found = default_backend()
    if found is None:
        raise RunError(
            'no backend is installed; install one with pip install "portable-models[jax]"'
        )
    return found


def _execute(experiments: Sequence[str], settings: MatrixSettings) -> None:
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
    _show(reports.read(settings.out), settings.out)


def _show(document: dict[str, Any], directory: Path) -> None:
    reports.show(document, directory)
    if document.get("interrupted"):
        done = sum(cell["status"] == "ok" for cell in document["cells"])
        _complain(
            f"interrupted; {done} of {len(document['cells'])} cells finished and are kept in {directory}. "
            "The same command with --resume goes on from there"
        )
    sys.exit(EXIT_CODES[document["verdict"]])


if __name__ == "__main__":
    main()
