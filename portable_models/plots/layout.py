"""Frames, legends and notes that every plot shares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from portable_models.plots.figure import Series
from portable_models.plots.style import MUTED, SHADE, layer_colour

# In DejaVu Sans a character is on average about 0.6 of the font's size wide; the line or dot that
# stands before a legend's text takes the room of about seven characters.
_FONT_POINTS = 9.0
_MEAN_WIDTH = 0.6
_SAMPLE = 7


def frames(
    count: int, *, title: str, x_label: str, y_label: str, caption: str
) -> tuple[Drawing, list[Axes]]:
    """An empty drawing of ``count`` frames with shared axes, at most three or four to a row."""
    columns = count if count < 4 else 2 if count == 4 else 3
    rows = math.ceil(count / columns)
    width, height = (7.0, 3.8) if count == 1 else (3.3 * columns, 2.1 * rows + 0.9)
    drawing = Drawing(figsize=(width, height), layout="constrained")
    flat = list(drawing.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    drawing.suptitle(title, x=0.01, ha="left")
    for unused in flat[count:]:
        unused.remove()
    for position, axes in enumerate(flat[:count]):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if position + columns >= count:
            axes.set_xlabel(x_label)
            axes.tick_params(labelbottom=True)
        if position % columns == 0:
            axes.set_ylabel(y_label)
    if caption:
        drawing.text(0.99, 0.99, caption, ha="right", va="top", color=MUTED, fontsize="small")
    return drawing, flat[:count]


def note_missing(axes: Axes, missing: Sequence[str]) -> None:
    """Say beside a frame's title which curves have no result in it."""
    if missing:
        note = f"no result: {', '.join(missing)}"
        axes.set_title(note, loc="right", color=MUTED, fontsize="small")


def handle(label: str, look: Mapping[str, Any]) -> Line2D:
    """A legend entry."""
    return Line2D([], [], label=label, **look)


def no_result_handle(label: str) -> Line2D:
    """A legend entry for a curve that could not be drawn."""
    return handle(
        f"{label} (no result)", {"color": SHADE, "linestyle": (0, (1, 2)), "linewidth": 1.4}
    )


def backend_handles(found: Mapping[str, bool | None]) -> list[Line2D]:
    """Legend entries for backends in their order of drawing.

    Args:
        found: for each backend True if it was drawn, False if it has no result, None if it takes
            its place in the order only.
    """
    handles = []
    for layer, (backend, drawn) in enumerate(found.items()):
        look = {"color": layer_colour(layer), "linewidth": 1.4 + layer_step(layer, len(found))}
        if drawn is not None:
            handles.append(handle(backend, look) if drawn else no_result_handle(backend))
    return handles


def layer_step(layer: int, layers: int) -> float:
    """How much wider, in points, a curve is drawn so that those drawn over it leave it seen."""
    return 2.2 * (layers - 1 - layer)


def legend(drawing: Drawing, handles: Sequence[Artist]) -> None:
    """Put the legend under the frames, in as many columns as the width holds."""
    lengths = [len(str(entry.get_label())) + _SAMPLE for entry in handles]
    room = drawing.get_figwidth() * 72 / (_FONT_POINTS * _MEAN_WIDTH)
    columns = next(
        count for count in (5, 4, 3, 2, 1) if count == 1 or _width(lengths, count) <= room
    )
    columns = max(1, min(columns, len(handles)))
    drawing.legend(handles=list(handles), loc="outside lower left", ncols=columns)


def settle(drawing: Drawing) -> Drawing:
    """Place everything now and for good, so that writing it twice does not lay it out twice."""
    engine = drawing.get_layout_engine()
    if engine is not None:
        engine.execute(drawing)
    drawing.set_layout_engine("none")
    return drawing


def _width(lengths: Sequence[int], columns: int) -> int:
    """Characters of the whole legend, filled column by column as Matplotlib does."""
    rows = math.ceil(len(lengths) / columns)
    return sum(max(lengths[start : start + rows]) for start in range(0, len(lengths), rows))


def plottable(values: Series) -> list[float]:
    """The values with NaN, where Matplotlib leaves a gap, for those that are missing."""
    return [math.nan if value is None else value for value in values]
