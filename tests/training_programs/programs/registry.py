"""All programs of the corpus, by name."""

from __future__ import annotations

import importlib

from .program import BACKEND, Program

TOPICS = (
    "generative",
    "adversarial",
    "metric_learning",
    "text",
    "series",
    "vision",
    "steps",
    "optimizing",
    "states",
    "watching",
    "changing",
    "looking",
    "tabular",
    "targets",
    "feeding",
    "settings",
)


def programs() -> dict[str, Program]:
    """Every program, on whatever backend; names are unique."""
    found: dict[str, Program] = {}
    for topic in TOPICS:
        for program in importlib.import_module(f".{topic}", __package__).PROGRAMS:
            if program.name in found:
                raise ValueError(f"two programs are called {program.name}")
            found[program.name] = program
    return found


def programs_of_this_backend() -> dict[str, Program]:
    """The programs that run under ``Model.fit`` on the backend of this process."""
    return {name: each for name, each in programs().items() if BACKEND in each.backends}
