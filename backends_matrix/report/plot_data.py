"""The data of the plots of a variant's metrics, taken from the comparisons."""

from __future__ import annotations

import math
from collections.abc import Sequence

from backends_matrix.report.overview import backends, lead_cell
from backends_matrix.report.records import Comparison, Report, Verdict
from backends_matrix.report.tally import grouped
from portable_models.plots import Series, Trajectory

_LEVEL = 2


def trajectories(report: Report, experiment: str) -> dict[str, list[Trajectory]]:
    """For each variant, its metrics that were compared at any epoch."""
    last = last_epoch(report)
    compared = [
        entry
        for entry in report.comparisons
        if (entry.experiment, entry.level) == (experiment, _LEVEL)
        and entry.epoch is not None
        and entry.epoch <= last
    ]
    found: dict[str, list[Trajectory]] = {}
    groups = grouped(compared, lambda entry: (entry.variant, entry.quantity))
    for (variant, quantity), group in groups.items():
        found.setdefault(variant, []).append(_trajectory(report, variant, quantity, group))
    return found


def _trajectory(
    report: Report, variant: str, quantity: str, group: Sequence[Comparison]
) -> Trajectory:
    experiment = group[0].experiment
    cells = {name: lead_cell(report, experiment, variant, name) for name in backends(report)}
    values = {
        name: tuple(cell.history.get(quantity, ()))
        for name, cell in cells.items()
        if cell is not None and cell.ok
    }
    epochs = max(entry.epoch or 0 for entry in group)
    by_backend = grouped(group, lambda entry: entry.backend)
    undecidable = {entry.epoch for entry in group if entry.verdict is Verdict.UNDECIDABLE}
    return Trajectory(
        quantity=quantity,
        values=values,
        reference=group[0].reference,
        tolerance=_narrowest(group, epochs),
        distances={name: _farthest(entries, epochs) for name, entries in by_backend.items()},
        undecidable=[epoch in undecidable for epoch in range(1, epochs + 1)],
    )


def _narrowest(group: Sequence[Comparison], epochs: int) -> Series:
    """The tolerance of each epoch; of several pipelines' the narrowest, so as not to promise more room."""
    widths: dict[int, float] = {}
    for entry in group:
        if entry.epoch is not None and entry.tolerance is not None:
            widths[entry.epoch] = min(entry.tolerance, widths.get(entry.epoch, math.inf))
    return tuple(widths.get(epoch) for epoch in range(1, epochs + 1))


def _farthest(group: Sequence[Comparison], epochs: int) -> Series:
    """The distance of each epoch; of several pipelines' the largest."""
    distances: dict[int, float] = {}
    for entry in group:
        if entry.epoch is not None and entry.difference is not None:
            distances[entry.epoch] = max(entry.difference, distances.get(entry.epoch, 0.0))
    return tuple(distances.get(epoch) for epoch in range(1, epochs + 1))


def last_epoch(report: Report) -> int:
    """The last epoch that any cell ran. A damaged document may name one that would fill the memory."""
    return max(
        (len(points) for cell in report.cells for points in cell.history.values()), default=0
    )
