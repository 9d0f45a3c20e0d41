"""Tell a study that is not reproducible by itself from backends that differ.

Where digests of data or initial weights differ between backends, the study is loaded and built twice on
one backend. The first steps of every training that is compared are run twice on one backend too. If the
two differ, nothing can be said of the backends.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from backends_matrix.judge.comparison import Agreement, Comparison
from backends_matrix.run.cell import Cell
from backends_matrix.run.environment import installed
from backends_matrix.run.identity import BUILT
from backends_matrix.run.process import WorkerError
from backends_matrix.run.supervisor import WorkerSupervisor

Place = tuple[str, str]
"""Experiment and variant."""

_NAMED = 3
"""How many results a message names."""

_BUILT_DIGESTS = ("data", "initial_weights", "dropout_masks", "batches")
"""Digests that follow from what a study loads and builds."""


EAGER = ("torch",)
"""Backends that run Python at every step. What a step draws is not traced and kept there, so a repeat shows
it; and it takes milliseconds, since nothing is compiled."""


def choose_for_repeats(backends: Sequence[str], reference: str) -> str:
    """The backend on which trainings are repeated: an eager one that takes part, else the reference."""
    return next((each for each in EAGER if each in backends and installed(each)), reference)


async def find_unrepeatable(
    cells: Sequence[Cell], supervisor: WorkerSupervisor
) -> tuple[dict[Place, str], list[str]]:
    """Run the first steps of trainings twice on one backend.

    Args:
        cells: one cell of this backend for each variant that is compared.
        supervisor: the backend's.

    Returns:
        The variants whose steps came out differently, and why in words; and what could not be repeated, with
        the reason, as notes for the report.
    """
    found: dict[Place, str] = {}
    notes: list[str] = []
    for cell in cells:
        try:
            answer = await supervisor.ask({"do": "repeat", "cell": cell.to_json()})
        except WorkerError as error:
            notes.append(
                f"{cell.experiment}/{cell.variant}: its first steps could not be repeated on "
                f"{supervisor.backend} ({error}), so draws from outside of Keras were not looked for"
            )
            continue
        if changes := answer["changes"]:
            parts = ", ".join(str(each) for each in changes[:_NAMED])
            more = f" and {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
            layer = f"; the first layer that does not repeat is {answer['layer']}"
            found[cell.experiment, cell.variant] = (
                f"the training is not reproducible by itself: its first steps, run twice on "
                f"{supervisor.backend}, gave different results ({parts}{more})"
                + (layer if answer["layer"] else "")
                + "; draw random numbers from keras.random with a keras.random.SeedGenerator"
            )
    return found, notes


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
