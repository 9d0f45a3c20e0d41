"""The layer or operation in which a difference of one step begins, found by replacement.

Every layer and operation is given the judge's own inputs, and the judge's gradient of its outputs, so that
its error is its own. The first that differs by itself is the place. There is none where parts agree and the
whole differs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backends_matrix.check.localise import Culprit, errors
from backends_matrix.check.members import Findings, Member
from backends_matrix.judge.comparison import Agreement, Comparison
from backends_matrix.judge.known_differences import known_gap
from backends_matrix.judge.steps import JUDGE, KINDS

LOCATED = ("outputs", "loss", "statistics", "gradient")
"""Kinds of results that begin in a layer or operation."""

Ask = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Sends a command to a worker by its name."""


def is_located(comparison: Comparison) -> bool:
    """Whether a comparison shows a difference that begins in a layer or operation."""
    return comparison.verdict is Agreement.DIFFERS and _kind(comparison) in LOCATED


async def name_places(
    comparisons: Sequence[Comparison], reference: str, folder: Path, ask: Ask
) -> list[Comparison]:
    """The comparisons of one cell's steps, with the layer that each difference begins in.

    Args:
        comparisons: of level 1.
        reference: the reference backend, which may be the one that differs from the judge of parts.
        folder: holds the states.
        ask: sends a command to the judge or a backend's worker.
    """
    first: dict[str, Comparison] = {}
    for each in comparisons:
        if is_located(each):
            best = first.get(each.backend)
            if best is None or _place(each) < _place(best):
                first[each.backend] = each
    layers: dict[str, str] = {}
    gaps: dict[str, str] = {}
    for backend, comparison in first.items():
        step = comparison.step or 0
        for name, judge in ((JUDGE, ""), (backend, JUDGE), (reference, JUDGE)):
            target = _folder(folder, step, name)
            if not target.exists():
                target.mkdir()
                await ask(name, _command(folder, step, name, judge))
            if judge and not layers.get(backend):
                found = _first_part(folder, step, name)
                if found is not None:
                    odd = "" if name == backend else f", as {name} computes it"
                    layers[backend] = _place_of(found) + odd
                    gaps[backend] = known_gap(name, [found.name], _kind(comparison))
            if layers.get(backend):
                break
    return [
        dataclasses.replace(each, layer=layers[each.backend], known_gap=gaps[each.backend])
        if is_located(each) and layers.get(each.backend)
        else each
        for each in comparisons
    ]


def _kind(comparison: Comparison) -> str:
    return comparison.quantity.split(" ")[0]


def _place(comparison: Comparison) -> tuple[int, int]:
    return comparison.step or 0, KINDS.index(_kind(comparison))


def _folder(folder: Path, step: int, name: str) -> Path:
    return folder / f"parts-{step}-{name}"


def _command(folder: Path, step: int, name: str, judge: str) -> dict[str, Any]:
    return {
        "do": "parts",
        "folder": str(folder),
        "step": step,
        "target": str(_folder(folder, step, name)),
        "judge": str(_folder(folder, step, judge)) if judge else "",
    }


def _first_part(folder: Path, step: int, backend: str) -> Culprit | None:
    judge = Findings(Member(JUDGE, double=True), _folder(folder, step, JUDGE))
    mine = Findings(Member(backend), _folder(folder, step, backend))
    culprits, _ = errors(judge, mine, training=True)
    return culprits[0] if culprits else None


def _place_of(first: Culprit) -> str:
    where = f" ({Path(first.file).name}:{first.line})" if first.file and first.line else ""
    return f"{first.layer}{where}"
