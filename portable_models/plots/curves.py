"""Draw the curves of a figure: for one backend, or for all of them on top of each other.

Matplotlib is used through its objects only, without pyplot: no window, no state between plots.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from portable_models.plots.figure import Band, Curve, CurveStyle, Figure, History
from portable_models.plots.layout import (
    backend_handles,
    frames,
    handle,
    layer_step,
    legend,
    no_result_handle,
    note_missing,
    plottable,
)
from portable_models.plots.style import (
    DASHES,
    MARKERS,
    MUTED,
    SERIES,
    SHADE,
    layer_colour,
    series_colour,
    styled,
)

Quantity: TypeAlias = tuple[str, str]
Runs: TypeAlias = Mapping[str, History]
_MANY_EPOCHS = 60


def draw(figure: Figure, histories: Runs, *, caption: str = "") -> Drawing:
    """Plot a figure for one backend: one colour per variant, in one frame.

    Args:
        figure: what to show.
        histories: the history of each variant; a variant that is missing, or whose history lacks
            the quantity, is named in the legend as having no result.
        caption: small print beside the title, for instance the backend and the data.

    Returns:
        A Matplotlib figure, to be given to :func:`save` or :func:`to_svg_text`.
    """
    with styled():
        drawing, (axes,) = _empty(figure, 1, caption)
        handles = []
        for curve in figure.curves:
            epochs, values = figure.points(curve, histories.get(curve.variant, {}))
            position = figure.variants.index(curve.variant)
            # Past the last colour the colours repeat, so the dashes change.
            rank = _rank(figure, curve) + position // len(SERIES)
            look = _look(curve, series_colour(position), rank, len(epochs))
            if _any(values):
                axes.plot(epochs, plottable(values), **look)
                handles.append(handle(curve.label, look))
            else:
                handles.append(no_result_handle(curve.label))
        legend(drawing, handles)
        return drawing


def draw_overlaid(
    figure: Figure,
    histories: Mapping[str, Runs],
    *,
    bands: Mapping[Quantity, Band] | None = None,
    reference: str | None = None,
    caption: str = "",
) -> Drawing:
    """Plot a figure for all backends: one frame per variant, one colour per backend.

    The first backend is drawn widest and the last one thinnest, so that curves that coincide can
    all be seen, one inside the other.

    Args:
        figure: what to show.
        histories: for each backend, the history of each variant; an empty mapping for a backend
            without results, which is then named as having none.
        bands: for a (variant, quantity), how far a curve may lie from the reference's.
        reference: the backend that the bands lie around; the first one if None.
        caption: small print beside the title.

    Returns:
        A Matplotlib figure, to be given to :func:`save` or :func:`to_svg_text`.
    """
    with styled():
        drawing, all_axes = _empty(figure, len(figure.variants), caption)
        by_variant = dict(zip(figure.variants, all_axes, strict=True))
        seen: set[str] = set()
        for variant, axes in by_variant.items():
            drawn = _draw_backends(axes, figure, variant, histories)
            seen |= drawn
            if len(by_variant) > 1:
                axes.set_title(variant)
            note_missing(axes, [backend for backend in histories if backend not in drawn])
        # The curves are the subject: a wide band must not squeeze them, in whichever frame.
        limits = all_axes[0].get_ylim()
        centre = histories.get(reference or next(iter(histories), ""), {})
        undecidable = False
        for curve in figure.curves:
            band = (bands or {}).get((curve.variant, curve.quantity))
            if band is not None:
                history = centre.get(curve.variant, {})
                undecidable |= _draw_band(by_variant[curve.variant], figure, curve, band, history)
        all_axes[0].set_ylim(limits)
        handles: list[Artist] = [
            *backend_handles({backend: backend in seen for backend in histories}),
            *_style_handles(figure),
        ]
        if undecidable:
            handles.append(Patch(facecolor=SHADE, alpha=0.25, label="undecidable"))
        legend(drawing, handles)
        return drawing


def _empty(figure: Figure, count: int, caption: str) -> tuple[Drawing, list[Axes]]:
    return frames(
        count,
        title=figure.title,
        x_label=figure.x_label,
        y_label=figure.y_label,
        caption=caption,
    )


def _draw_backends(
    axes: Axes, figure: Figure, variant: str, histories: Mapping[str, Runs]
) -> set[str]:
    drawn = set()
    for layer, (backend, runs) in enumerate(histories.items()):
        for curve in _curves_of(figure, variant):
            epochs, values = figure.points(curve, runs.get(variant, {}))
            if _any(values):
                wider = layer_step(layer, len(histories))
                rank = _rank(figure, curve)
                look = _look(curve, layer_colour(layer), rank, len(epochs), wider)
                axes.plot(epochs, plottable(values), **look)
                drawn.add(backend)
    return drawn


def _draw_band(axes: Axes, figure: Figure, curve: Curve, band: Band, history: History) -> bool:
    """Shade the band; True if some of its epochs are undecidable."""
    # Smoothed as the curve is: by the triangle inequality the band still bounds the difference.
    _, widths = figure.points(curve, {curve.quantity: band.half_widths})
    epochs, centre = figure.points(curve, history)
    known = [
        (epoch, middle - width, middle + width)
        for epoch, middle, width in zip(epochs, centre, widths, strict=False)
        if middle is not None and width is not None
    ]
    if known:
        at, low, high = zip(*known, strict=True)
        axes.fill_between(at, low, high, color=SHADE, alpha=0.3, linewidth=0, zorder=1)
    start = band.undecidable_from
    if start is None or not epochs or start > epochs[-1]:
        return False
    axes.axvspan(start - 0.5, epochs[-1] + 0.5, color=SHADE, alpha=0.12, linewidth=0, zorder=0)
    return True


def _curves_of(figure: Figure, variant: str) -> list[Curve]:
    return [curve for curve in figure.curves if curve.variant == variant]


def _rank(figure: Figure, curve: Curve) -> int:
    """The position of a curve among those that would look the same."""
    alike = [other for other in _curves_of(figure, curve.variant) if other.style == curve.style]
    return alike.index(curve)


def _look(curve: Curve, colour: str, rank: int, epochs: int, wider: float = 0) -> dict[str, Any]:
    if curve.style is CurveStyle.DOTS:
        return {
            "color": colour,
            "linestyle": "none",
            "marker": MARKERS[rank % len(MARKERS)],
            "markersize": (4.2 if epochs <= _MANY_EPOCHS else 2.2) + 1.2 * wider,
            "markeredgewidth": 0,
        }
    width = 1.4 if epochs <= _MANY_EPOCHS else 1.0
    return {"color": colour, "linestyle": DASHES[rank % len(DASHES)], "linewidth": width + wider}


def _any(values: list[float | None]) -> bool:
    return any(value is not None for value in values)


def _style_handles(figure: Figure) -> list[Line2D]:
    first = _curves_of(figure, figure.variants[0])
    if len(first) < 2:
        return []
    # In several frames a label that names the variant would be wrong for all frames but one.
    alone = len(figure.variants) == 1
    return [
        handle(
            curve.label if alone else curve.quantity, _look(curve, MUTED, _rank(figure, curve), 1)
        )
        for curve in first
    ]
