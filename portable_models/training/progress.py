"""A line of progress for each epoch, for people."""

from __future__ import annotations

import sys
from collections.abc import Mapping


def console_progress(epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
    """Print the epoch and its metrics to standard error; on a terminal the line is written over."""
    figures = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
    interactive = sys.stderr.isatty()
    start = "\r\033[K" if interactive else ""
    end = "" if interactive and epoch < epochs else "\n"
    print(f"{start}epoch {epoch}/{epochs}  {figures}", end=end, file=sys.stderr, flush=True)
