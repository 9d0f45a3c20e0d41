"""The noise floor: the distance that rounding alone puts between equal trainings. NumPy only."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from backends_matrix.run.cell import Cell
from backends_matrix.run.result import CellResult

Values = NDArray[np.float64]


def families(results: Iterable[CellResult]) -> list[list[CellResult]]:
    """Results of one cell and its replicas; only where there are two or more.

    Distances are taken within a family, never between two: what two backends differ by is what is to be
    judged, and must not be part of the measure.
    """
    found: dict[Cell, list[CellResult]] = {}
    for each in results:
        found.setdefault(dataclasses.replace(each.cell, replica=0), []).append(each)
    return [members for members in found.values() if len(members) > 1]


def series(result: CellResult, source: str) -> dict[str, Values]:
    """By metric, the values of ``history`` (one for each epoch) or of ``final`` (one)."""
    values = result.history if source == "history" else result.final
    return {name: np.atleast_1d(np.asarray(value, np.float64)) for name, value in values.items()}


def floor_of(
    groups: Sequence[Sequence[CellResult]],
    source: str,
    quantity: str,
    length: int,
    reference: str,
    vouching: float | None = None,
) -> Values:
    """The noise floor of one metric: the largest that any family shows.

    Args:
        groups: families (see :func:`families`).
        source: ``history`` or ``final``.
        quantity: the metric.
        length: number of epochs.
        reference: the backend whose floor counts as it is.
        vouching: those of others count up to so many times that one, not at all where it has none; None: as
            they are.

    Returns:
        float64 of shape ``(length,)``; zero where there are no replicas.
    """
    own, others = np.zeros(length), np.zeros(length)
    for members in groups:
        floor = noise_floor([series(each, source).get(quantity) for each in members], length)
        if members[0].cell.backend == reference:
            own = np.maximum(own, floor)
        else:
            others = np.maximum(others, floor)
    return np.maximum(own, others if vouching is None else np.minimum(others, vouching * own))


def noise_floor(members: Sequence[Values | None], length: int) -> Values:
    """The largest distance within one family by each epoch.

    The largest distance between any two members, and its largest value so far: trajectories that have
    parted may cross again, which does not make them agree.

    Args:
        members: a cell and its replicas, each of shape ``(length,)``; None for one without the metric.
        length: number of epochs.

    Returns:
        float64 of shape ``(length,)``; zero where there are no replicas.
    """
    present = [each for each in members if each is not None and each.size == length]
    # Trainings that run away are infinitely far apart; where one has no number, there is no distance.
    with np.errstate(over="ignore", invalid="ignore"):
        distances = [
            np.where(np.isnan(a - b), 0.0, np.abs(a - b)) for a, b in combinations(present, 2)
        ]
    if not distances:
        return np.zeros(length)
    floor: Values = np.maximum.accumulate(np.max(distances, axis=0))
    return floor
