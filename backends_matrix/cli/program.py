"""The command ``portable``: a group whose commands are the modules of this folder."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import click

from backends_matrix.cli.exit_codes import run_guarded
from backends_matrix.own_version import own_version

COMMANDS = (
    "certify",
    "check",
    "compare",
    "convert",
    "export",
    "lint",
    "matrix",
    "report",
    "run",
    "selftest",
    "versions",
)
"""Each is the attribute ``command`` of the module of its name, which is imported when it is called."""


class Group(click.Group):
    """Imports a command when it is called; turns every failure into one line and an exit code."""

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

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command."""
        call = partial(super().main, args, prog_name, complete_var, standalone_mode=False, **extra)
        if not standalone_mode:
            return call()
        sys.exit(run_guarded(call))


@click.group(
    cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(own_version(), prog_name="portable")
def main() -> None:
    """Prove that Keras 3 models mean the same on JAX, TensorFlow and PyTorch.

    Exit codes: 0 all agree; 1 a difference was found; 2 the call is wrong; 3 something could not be run, or
    nothing could be decided.
    """
