"""Each layer's own error on a log scale, against its tolerance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from portable_models.plots.style import INK, MARKERS, SERIES, styled

LOWEST, HIGHEST = 1e-10, 1e4
"""Errors outside are drawn on the border: 0 on the left one, and NaN or another shape on the right one."""

MOST_LAYERS = 80
"""Layers that are drawn; the worst ones of a larger model."""


def draw_errors(errors: Mapping[str, Sequence[Mapping[str, Any]]]) -> Drawing | None:
    """Draw the error of each layer by itself, one row for each, with a bar at its tolerance.

    Args:
        errors: by backend, entries with ``layer``, ``class``, ``difference`` and ``tolerance``, in the order
            of the model; a difference of None is infinite.

    Returns:
        None where there is nothing to draw.
    """
    worst: dict[str, float] = {}
    for entries in errors.values():
        for entry in entries:
            worst[entry["layer"]] = max(worst.get(entry["layer"], 0.0), _share(entry))
    if not worst:
        return None
    kept = sorted(sorted(worst, key=lambda name: -worst[name])[:MOST_LAYERS], key=list(worst).index)
    rows = {name: place for place, name in enumerate(kept)}
    with styled():
        drawing = Drawing(figsize=(9.0, 1.2 + 0.24 * len(rows)), layout="constrained")
        axes = drawing.add_subplot()
        for number, (backend, entries) in enumerate(errors.items()):
            colour, marker = SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)]
            shown = [entry for entry in entries if entry["layer"] in rows]
            offset = 0.16 * (number - (len(errors) - 1) / 2)
            axes.plot(
                [_inside(entry["difference"]) for entry in shown],
                [rows[entry["layer"]] + offset for entry in shown],
                linestyle="none", marker=marker, markersize=5, color=colour, label=backend,
            )  # fmt: skip
            axes.plot(
                [_inside(entry["tolerance"]) for entry in shown],
                [rows[entry["layer"]] + offset for entry in shown],
                linestyle="none", marker="|", markersize=7, color=colour, alpha=0.6,
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlim(LOWEST, HIGHEST)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(list(rows.values()), [name[-48:] for name in rows])
        axes.set_xlabel("error of the layer by itself; the bar is its tolerance")
        bar = Line2D([], [], linestyle="none", marker="|", markersize=7, color=INK)
        handles, labels = axes.get_legend_handles_labels()
        drawing.legend(
            [*handles, bar], [*labels, "tolerance"], loc="outside upper left", ncols=len(errors) + 1
        )
    return drawing


def _share(entry: Mapping[str, Any]) -> float:
    difference = entry["difference"]
    if difference is None:
        return float("inf")
    return float(difference) / max(float(entry["tolerance"] or 0.0), LOWEST)


def _inside(value: float | None) -> float:
    return HIGHEST if value is None else min(max(float(value), LOWEST), HIGHEST)
