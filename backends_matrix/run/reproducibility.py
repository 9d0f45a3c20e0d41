"""Tell a study that is not reproducible by itself from backends that differ.

Where digests of data or initial weights differ between backends, the study is loaded and built twice on
one backend. If the two differ as well, nothing can be said of the backends.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from backends_matrix.judge.comparison import Agreement, Comparison
from backends_matrix.run.cell import Cell
from backends_matrix.run.identity import BUILT
from backends_matrix.run.process import WorkerError
from backends_matrix.run.supervisor import WorkerSupervisor

Place = tuple[str, str]
"""Experiment and variant."""

_BUILT_DIGESTS = ("data", "initial_weights", "dropout_masks", "batches")
"""Digests that follow from what a study loads and builds."""


def find_suspects(comparisons: Iterable[Comparison]) -> set[Place]:
    """The variants of which the backends were given different data or models."""
    return {
        (each.experiment, each.variant)
        for each in comparisons
        if each.level == 0 and each.verdict is Agreement.DIFFERS and each.quantity in _BUILT_DIGESTS
    }


async def find_irreproducible(
    cells: Sequence[Cell], suspects: Iterable[Place], supervisor: WorkerSupervisor
) -> dict[Place, str]:
    """Load and build each suspect twice on one backend.

    Args:
        cells: the cells of the run.
        suspects: experiment and variant.
        supervisor: the backend's.

    Returns:
        The variants that came out differently, and why in words.
    """
    found = {}
    for place in sorted(suspects):
        cell = next(each for each in cells if (each.experiment, each.variant) == place)
        mine = dataclasses.replace(cell, backend=supervisor.backend, replica=0)
        try:
            answer = await supervisor.ask({"do": "rebuild", "cell": mine.to_json()})
        except WorkerError:
            continue
        if answer["changes"]:
            parts = ", ".join(BUILT.get(part, str(part)) for part in answer["changes"])
            found[place] = (
                "the study is not reproducible by itself: loaded and built twice on "
                f"{supervisor.backend}, it gave a different result each time ({parts}); draw random "
                "numbers from a seed, for instance with numpy.random.default_rng(0)"
            )
    return found


def withdraw_judgements(
    comparisons: Iterable[Comparison], irreproducible: Mapping[Place, str]
) -> list[Comparison]:
    """The comparisons, those of irreproducible variants as undecidable."""
    return [
        dataclasses.replace(
            each,
            verdict=Agreement.UNDECIDABLE,
            why=irreproducible[(each.experiment, each.variant)],
        )
        if (each.experiment, each.variant) in irreproducible
        else each
        for each in comparisons
    ]
