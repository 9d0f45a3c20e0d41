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
    settle,
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
Panel: TypeAlias = tuple[str, tuple[Curve, ...]]
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
            alike = tuple(other for other in figure.curves if other.variant == curve.variant)
            rank = _rank(alike, curve) + position // len(SERIES)
            look = _look(curve, series_colour(position), rank, len(epochs))
            if _any(values):
                axes.plot(epochs, plottable(values), **look)
                handles.append(handle(curve.label, look))
            else:
                handles.append(no_result_handle(curve.label))
        legend(drawing, handles)
        return settle(drawing)


def draw_overlaid(
    figure: Figure,
    histories: Mapping[str, Runs],
    *,
    bands: Mapping[Quantity, Band] | None = None,
    reference: str | None = None,
    caption: str = "",
) -> Drawing:
    """Plot a figure for all backends, one colour per backend; many variants get a frame each.

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
        panels = _panels(figure)
        drawing, all_axes = _empty(figure, len(panels), caption)
        by_panel = dict(zip(panels, all_axes, strict=True))
        seen: set[str] = set()
        for (title, curves), axes in by_panel.items():
            missing = _draw_backends(axes, figure, curves, histories)
            seen |= {backend for backend in histories if missing.get(backend) != "all"}
            axes.set_title(title)
            note_missing(axes, [_named(backend, what) for backend, what in missing.items()])
        # The curves are the subject: a wide band must not squeeze them, in whichever frame.
        limits = all_axes[0].get_ylim()
        centre = histories.get(reference or next(iter(histories), ""), {})
        undecidable = False
        for (_, curves), axes in by_panel.items():
            for curve in curves:
                band = (bands or {}).get((curve.variant, curve.quantity))
                if band is not None:
                    history = centre.get(curve.variant, {})
                    undecidable |= _draw_band(axes, figure, curve, band, history)
        all_axes[0].set_ylim(limits)
        handles: list[Artist] = [
            *backend_handles({backend: backend in seen for backend in histories}),
            *_style_handles(figure, panels[0][1]),
        ]
        if undecidable:
            handles.append(Patch(facecolor=SHADE, alpha=0.25, label="undecidable"))
        legend(drawing, handles)
        return settle(drawing)


def _panels(figure: Figure) -> list[Panel]:
    """Two curves differ by dots and lines and share a frame; more variants need a frame each."""
    if len(figure.curves) <= 2 or len(figure.variants) == 1:
        return [("", figure.curves)]
    return [
        (variant, tuple(curve for curve in figure.curves if curve.variant == variant))
        for variant in figure.variants
    ]


def _empty(figure: Figure, count: int, caption: str) -> tuple[Drawing, list[Axes]]:
    return frames(
        count,
        title=figure.title,
        x_label=figure.x_label,
        y_label=figure.y_label,
        caption=caption,
    )


def _draw_backends(
    axes: Axes, figure: Figure, curves: tuple[Curve, ...], histories: Mapping[str, Runs]
) -> dict[str, str]:
    """Draw; what each backend lacks: the names of variants, or "all"."""
    missing: dict[str, str] = {}
    for layer, (backend, runs) in enumerate(histories.items()):
        absent = {}
        for curve in curves:
            epochs, values = figure.points(curve, runs.get(curve.variant, {}))
            if _any(values):
                wider = layer_step(layer, len(histories))
                look = _look(curve, layer_colour(layer), _rank(curves, curve), len(epochs), wider)
                axes.plot(epochs, plottable(values), **look)
            else:
                absent[curve] = curve.variant
        if absent:
            everything = len(absent) == len(curves)
            missing[backend] = "all" if everything else ", ".join(dict.fromkeys(absent.values()))
    return missing


def _named(backend: str, what: str) -> str:
    return backend if what == "all" else f"{backend} ({what})"


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


def _rank(curves: tuple[Curve, ...], curve: Curve) -> int:
    """The position of a curve among those of its style, which only markers or dashes tell apart."""
    return [other for other in curves if other.style == curve.style].index(curve)


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


def _style_handles(figure: Figure, curves: tuple[Curve, ...]) -> list[Line2D]:
    if len(curves) < 2:
        return []
    # In several frames a label that names the variant would be wrong for all frames but one.
    alone = len(curves) == len(figure.curves)
    return [
        handle(
            curve.label if alone else curve.quantity, _look(curve, MUTED, _rank(curves, curve), 1)
        )
        for curve in curves
    ]
