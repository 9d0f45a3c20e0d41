"""A console that does not decide how the process ends."""

from __future__ import annotations

import contextlib
import os

from rich.console import Console


class SafeConsole(Console):
    """Prints nothing more once nobody reads. rich would exit with 1, which stands for a difference."""

    def on_broken_pipe(self) -> None:
        """Send the rest of the output nowhere."""
        self.quiet = True
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())
