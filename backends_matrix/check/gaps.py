"""Known gaps of Keras and its backends, looked up for a difference that was found."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class Gap:
    """A difference that is Keras's, as far as a check can recognise it.

    Args:
        id: short name.
        backends: who shows it.
        layers: class names of layers, operations or optimizers that it is about.
        checks: the checks that it can make fail.
        reason: what happens and what to do instead.
        link: the upstream issue, or "".
    """

    id: str
    backends: tuple[str, ...]
    layers: tuple[str, ...]
    checks: tuple[str, ...]
    reason: str
    link: str


def recognisable_gaps() -> tuple[Gap, ...]:
    """The entries of ``known_gaps.toml`` that name the layers and checks which show them."""
    text = resources.files("portable_models").joinpath("known_gaps.toml").read_text("utf-8")
    entries: Sequence[dict[str, Any]] = tomllib.loads(text)["gap"]
    return tuple(
        Gap(
            entry["id"],
            tuple(entry["backends"]),
            tuple(entry["layers"]),
            tuple(entry.get("checks", ())),
            entry["reason"],
            entry.get("link", ""),
        )
        for entry in entries
        if entry.get("layers")
    )


def gap_for(backend: str, names: Sequence[str], check: str) -> Gap | None:
    """The gap that explains a failed check of a backend.

    Args:
        backend: who failed.
        names: class names involved: the layer or operation that differs, the optimizer, the loss.
        check: which check.
    """
    wanted = {name.lower() for name in names if name}
    for gap in recognisable_gaps():
        if backend in gap.backends and wanted & {each.lower() for each in gap.layers}:
            if not gap.checks or check in gap.checks:
                return gap
    return None
