"""Draw a metric on every backend, and beneath it how far each is from the reference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from portable_models.plots.figure import Series, drawable
from portable_models.plots.layout import (
    backend_handles,
    handle,
    layer_step,
    legend,
    plottable,
    settle,
)
from portable_models.plots.style import INK, SHADE, layer_colour, styled

COLUMNS = 4
DECADES = 1e-4
"""Distances below this part of the smallest tolerance, 0 included, are drawn on the border."""

SMALLEST = 1e-100
"""Where a logarithmic axis begins at the latest: below it is nothing that a metric could mean."""

_TOLERANCE: Mapping[str, Any] = {"color": INK, "linewidth": 1, "linestyle": (0, (4, 2))}

# Hatched, so that it is told from the noise band without colours. In an SVG a face would cover the hatch.
_UNDECIDABLE: Mapping[str, Any] = {
    "facecolor": "none",
    "edgecolor": (SHADE, 0.6),
    "hatch": "//",
    "linewidth": 0,
}


@dataclass(frozen=True)
class Trajectory:
    """One metric of one variant, epoch by epoch from epoch 1.

    Args:
        quantity: the metric.
        values: for each backend, its values.
        reference: the backend that the others are held against.
        tolerance: the largest distance that passes; None where nothing was compared.
        distances: for each backend but the reference, its distance.
        undecidable: True for an epoch in which agreement would prove nothing.
    """

    quantity: str
    values: Mapping[str, Series]
    reference: str
    tolerance: Series
    distances: Mapping[str, Series]
    undecidable: Sequence[bool]


def draw_trajectories(
    title: str, trajectories: Sequence[Trajectory], *, backends: Sequence[str], caption: str = ""
) -> Drawing:
    """Plot metrics side by side, each with its distances on a logarithmic axis beneath it.

    The noise band is shaded: around the reference above, from zero to the tolerance beneath. Epochs
    that decide nothing are shaded from top to bottom.

    Args:
        title: heading of the plot.
        trajectories: one for each metric.
        backends: the order of the colours.
        caption: small print beside the title.

    Raises:
        ValueError: there is no metric to draw.
    """
    if not trajectories:
        raise ValueError("there are no trajectories to draw: give at least one metric")
    columns = min(len(trajectories), COLUMNS)
    rows = -(-len(trajectories) // columns)
    trajectories = [_drawable(each) for each in trajectories]
    with styled():
        drawing = Drawing(figsize=(max(3.1 * columns, 4.2), 3.6 * rows + 0.8), layout="constrained")
        grid = drawing.subplots(2 * rows, columns, sharex=True, squeeze=False)
        drawing.suptitle(title, x=0.01, ha="left")
        if caption:
            drawing.text(0.99, 0.99, caption, ha="right", va="top", fontsize="small")
        for position in range(rows * columns):
            row, column = divmod(position, columns)
            above, beneath = grid[2 * row, column], grid[2 * row + 1, column]
            if position >= len(trajectories):
                above.remove()
                beneath.remove()
                continue
            _draw_values(above, trajectories[position], backends)
            _draw_distances(beneath, trajectories[position], backends)
            beneath.set_xlabel("epoch")
            beneath.tick_params(labelbottom=True)
            if not column:
                beneath.set_ylabel("distance")
        shown = {name for each in trajectories for name, values in each.values.items() if values}
        handles: list[Artist] = [
            *backend_handles({name: True if name in shown else None for name in backends}),
            handle("tolerance", _TOLERANCE),
            Patch(facecolor=SHADE, alpha=0.3, label="noise band"),
        ]
        if any(any(each.undecidable) for each in trajectories):
            handles.append(Patch(**_UNDECIDABLE, label="undecidable"))
        legend(drawing, handles)
        return settle(drawing)


def _drawable(trajectory: Trajectory) -> Trajectory:
    """The same without numbers that no axis can hold; a loss may have run away to them."""

    def every(series: Mapping[str, Series]) -> dict[str, Series]:
        return {name: drawable(each) for name, each in series.items()}

    return replace(
        trajectory,
        values=every(trajectory.values),
        tolerance=drawable(trajectory.tolerance),
        distances=every(trajectory.distances),
    )


def _draw_values(axes: Axes, trajectory: Trajectory, backends: Sequence[str]) -> None:
    axes.set_title(trajectory.quantity)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for layer, backend in enumerate(backends):
        values = trajectory.values.get(backend, ())
        width = 1.2 + layer_step(layer, len(backends)) / 1.5
        _line(axes, values, layer_colour(layer), width)
    limits = axes.get_ylim()
    centre = trajectory.values.get(trajectory.reference, ())
    band = [
        (epoch, middle - half, middle + half)
        for epoch, (middle, half) in enumerate(
            zip(centre, trajectory.tolerance, strict=False), start=1
        )
        if middle is not None and half is not None
    ]
    if band:
        epochs, low, high = zip(*band, strict=True)
        axes.fill_between(epochs, low, high, color=SHADE, alpha=0.3, linewidth=0, zorder=1)
    # The curves are the subject: a wide band must not squeeze them.
    axes.set_ylim(limits)
    _shade(axes, trajectory.undecidable)


def _draw_distances(axes: Axes, trajectory: Trajectory, backends: Sequence[str]) -> None:
    known = [each for each in trajectory.tolerance if each]
    positive = [each for values in trajectory.distances.values() for each in values if each]
    lowest = max(DECADES * min(known or positive or [1.0]), SMALLEST)
    highest = 10 * max([*known, *positive, lowest])
    axes.set_yscale("log")
    axes.set_ylim(lowest, highest)
    axes.yaxis.set_major_locator(LogLocator(numticks=5))
    axes.yaxis.set_minor_locator(NullLocator())
    # Matplotlib's own labels are formulas, and an SVG in a page sets none.
    axes.yaxis.set_major_formatter(FuncFormatter(lambda size, _: f"1e{round(math.log10(size))}"))
    epochs = range(1, len(trajectory.tolerance) + 1)
    tolerance = plottable(trajectory.tolerance)
    axes.fill_between(epochs, lowest, tolerance, color=SHADE, alpha=0.3, linewidth=0, zorder=1)
    axes.plot(epochs, tolerance, **_TOLERANCE)
    for layer, backend in enumerate(backends):
        drawn = [
            None if each is None else max(each, lowest * 1.2)
            for each in trajectory.distances.get(backend, ())
        ]
        width = 1.2 + layer_step(layer, len(backends)) / 2
        _line(axes, drawn, layer_colour(layer), width)
    _shade(axes, trajectory.undecidable)


def _line(axes: Axes, values: Series, colour: str, width: float) -> None:
    if any(each is not None for each in values):
        epochs = range(1, len(values) + 1)
        axes.plot(
            epochs,
            plottable(values),
            color=colour,
            linewidth=width,
            marker="o",
            markersize=width + 1 if len(values) <= 30 else 0,
            markeredgewidth=0,
        )


def _shade(axes: Axes, undecidable: Sequence[bool]) -> None:
    """Shade every run of undecidable epochs."""
    for shaded, run in groupby(enumerate(undecidable, start=1), key=lambda each: each[1]):
        epochs = [epoch for epoch, _ in run]
        if shaded:
            axes.axvspan(
                epochs[0] - 0.5,
                epochs[-1] + 0.5,
                zorder=0,
                **_UNDECIDABLE,
            )
