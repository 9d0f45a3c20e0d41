"""The command ``portable``: a group whose commands are the modules of this folder."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from backends_matrix.cli.messages import complain
from backends_matrix.errors import CallError, RunError
from backends_matrix.report import ReportError

EXIT_CALL, EXIT_RUN = 2, 3

COMMANDS = ("compare", "convert", "export", "matrix", "report", "run", "selftest", "versions")
"""Each is the attribute ``command`` of the module of its name, which is imported when it is called."""


class Group(click.Group):
    """Imports a command when it is called; turns the project's own errors into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, if there is one."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"backends_matrix.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command."""
        try:
            return super().main(*args, **kwargs)
        except CallError as error:
            complain(str(error))
            sys.exit(EXIT_CALL)
        except (RunError, ReportError) as error:
            complain(str(error))
            sys.exit(EXIT_RUN)


@click.group(
    cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="portable-models", prog_name="portable")
def main() -> None:
    """Prove that Keras 3 models mean the same on JAX, TensorFlow and PyTorch.

    Exit codes: 0 all agree; 1 a difference was found; 2 the call is wrong; 3 something could not be run.
    """
