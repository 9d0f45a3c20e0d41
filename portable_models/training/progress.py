"""A line of progress for each epoch, for people."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping


def console_progress() -> Callable[[int, int, Mapping[str, float]], None]:
    """What prints the epoch, its metrics and the time left to standard error.

    On a terminal the line is written over.
    """
    started = time.monotonic()

    def report(epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        figures = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        interactive = sys.stderr.isatty()
        start = "\r\033[K" if interactive else ""
        end = "" if interactive and epoch < epochs else "\n"
        seconds = (time.monotonic() - started) / epoch * (epochs - epoch)
        left = f"  {spoken(seconds)} left" if epoch < epochs else ""
        print(
            f"{start}epoch {epoch}/{epochs}  {figures}{left}", end=end, file=sys.stderr, flush=True
        )

    return report


def spoken(seconds: float) -> str:
    """A time in seconds for people: ``9 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = max(1, round(seconds))
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
