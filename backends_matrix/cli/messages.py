"""Messages on standard error: one line each, harmless to a terminal."""

from __future__ import annotations

import click

from backends_matrix.report.records import showable


def complain(message: str) -> None:
    """Print an error as one line on standard error."""
    # One line, and nothing that a terminal would obey: a message may quote a file that came from elsewhere.
    click.echo(f"portable: error: {showable(message.replace(chr(10), ' '))}", err=True)
