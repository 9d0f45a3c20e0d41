"""Messages on standard error: one line each, harmless to a terminal."""

from __future__ import annotations

import contextlib

import click

from backends_matrix.report.records import showable

LONGEST = 2000
"""Characters of one message; a user's exception may hold a whole array."""


def complain(message: str) -> None:
    """Print an error as one line on standard error."""
    with contextlib.suppress(OSError, ValueError):
        click.echo(f"portable: error: {one_safe_line(message)}", err=True)


def one_safe_line(text: str) -> str:
    """A text as one line that a terminal does not obey; one that is too long is cut."""
    # A message may quote a file or an exception that came from elsewhere.
    line = str(showable(" ".join(text.split())))
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}… ({len(line):,} characters)"
