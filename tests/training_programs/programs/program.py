"""What a training program of the corpus is: a compiled model, what its ``fit`` is given, where it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

ALL = ("jax", "tensorflow", "torch")
BACKEND = keras.backend.backend()

Fit = dict[str, Any]


@dataclass(frozen=True)
class Program:
    """A training as somebody would write it, in a few steps of a few samples.

    Args:
        name: unique; the module's topic stands before the slash.
        build: makes the model and compiles it; new objects at every call.
        data: what ``fit`` is given, callbacks included; new objects at every call. Its argument is an empty
            folder for files. A list is several calls of ``fit``, one after the other.
        backends: where the program runs under ``Model.fit``.
        source: where programs of this kind are seen.
        notes: what is special; where ``backends`` are not all, why.
        sensitivity: how many times the usual rounding error the program makes of a difference in the last
            bit, measured with ``compare.py --floor``; 1 where it is not known to be worse.
    """

    name: str
    build: Callable[[], Any]
    data: Callable[[Path], Fit | list[Fit]]
    backends: tuple[str, ...] = ALL
    source: str = ""
    notes: str = ""
    sensitivity: float = 1.0

    def fits(self, folder: Path) -> list[Fit]:
        """The arguments of every ``fit`` of the program, one after the other."""
        given = self.data(folder)
        return given if isinstance(given, list) else [given]


class Programs(list[Program]):
    """The programs of one topic, added by decorating what makes the arguments of ``fit``."""

    def __init__(self, topic: str, source: str = "") -> None:
        super().__init__()
        self.topic, self.source = topic, source

    def add(self, build: Callable[[], Any], name: str = "", **settings: Any) -> Callable[..., Any]:
        """Decorate ``data``; the program is named after the function, or as ``name`` says."""

        def take(data: Callable[[Path], Any]) -> Callable[[Path], Any]:
            title = f"{self.topic}/{name or data.__name__}"
            self.append(Program(title, build, data, **{"source": self.source} | settings))
            return data

        return take
