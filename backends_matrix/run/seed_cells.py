"""Cells that differ in the seed or the replica only, trained side by side in one worker."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from backends_matrix.run.cell import Cell
from backends_matrix.run.model_identity import BuildRecorder
from backends_matrix.run.peak_memory import peak_bytes, reset_peak
from backends_matrix.run.result import CellResult, Status

LARGEST_GROUP = 32
"""Trainings that run side by side at most: what a run loses that is interrupted."""


def group_cells(cells: Sequence[Cell], *, seeds: bool) -> list[list[Cell]]:
    """Cells in groups that train side by side, in their order; those that are not compiled are alone.

    Replicas of one training are a group, since the noise floor needs all of them. Replica 0 is the training.

    Args:
        cells: those of one backend.
        seeds: whether cells that differ in the seed only are a group too.
    """
    groups: list[list[Cell]] = []
    filling: dict[Cell, list[Cell]] = {}
    for cell in cells:
        if not (seeds or cell.replica):
            groups.append([cell])
            continue
        kind = dataclasses.replace(
            cell, seed=0 if seeds else cell.seed, replica=min(cell.replica, 1)
        )
        group = filling.get(kind)
        if group is None or len(group) == LARGEST_GROUP or cell.engine != "compiled":
            group = filling[kind] = []
            groups.append(group)
        group.append(cell)
    return groups


def _apart(because: str, count: int) -> str:
    return f"trained apart from {count - 1} others: {because}" if because and count > 1 else ""


def settings_of(cell: Cell) -> Any:
    """What a cell changes of its variant, as ``portable_models.experiments.Settings``."""
    from portable_models.experiments import Settings

    return Settings(cell.epochs, cell.seed, cell.pipeline, cell.engine, cell.replica)


def results_of_seeds(
    cells: Sequence[Cell],
    variant: Any,
    samples: Any,
    on_epoch: Callable[[int, int, Mapping[str, float]], None],
) -> Iterator[CellResult]:
    """Train cells of one variant side by side.

    Args:
        cells: a group of ``group_cells``.
        variant: the variant of the study.
        samples: its data set.
        on_epoch: called after each epoch, counted over the trainings that run together.

    Returns:
        The result of each cell without the worker's environment; its identity is that of the model that was
        built. Time and memory are those of all cells; each gets an equal share of the time.

    Raises:
        Exception: whatever the user's code raises.
    """
    from portable_models._backend import current
    from portable_models.experiments import run_seeds

    reset_peak()
    current().reset_device_peak()
    builds = [BuildRecorder(variant) for _ in cells]
    settings = [settings_of(cell) for cell in cells]
    found, started = [], time.perf_counter()
    outcomes = run_seeds([each.variant for each in builds], samples, settings, on_epoch)
    for cell, build, outcome in zip(cells, builds, outcomes, strict=True):
        result = CellResult(
            cell,
            Status.OK,
            outcome.training.engine_reason or _apart(outcome.training.apart_because, len(cells)),
            None,
            peak_bytes(),
            outcome.to_json(),
            {},
            build.identity(outcome.training.digests.get("data", "")),
            current().device_peak_bytes(),
        )
        found.append(result)
    seconds = (time.perf_counter() - started) / len(cells)
    for result in found:
        yield dataclasses.replace(result, seconds=seconds)
