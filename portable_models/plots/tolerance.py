"""Draw how much of its tolerance each backend uses, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.artist import Artist
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullLocator

from portable_models.plots.figure import Series
from portable_models.plots.layout import (
    backend_handles,
    frames,
    handle,
    layer_step,
    legend,
    note_missing,
    settle,
)
from portable_models.plots.style import INK, SHADE, layer_colour, styled

# Shares outside are drawn on the border: how far below or above it is no longer matters.
LOWEST, HIGHEST = 1e-4, 1e4


def draw_shares(
    title: str,
    shares: Mapping[str, Mapping[str, Series]],
    *,
    undecidable_from: Mapping[str, int] | None = None,
    backends: Sequence[str] = (),
    caption: str = "",
) -> Drawing:
    """Plot difference divided by tolerance over epochs, one frame per variant.

    Above 1 the backends differ. The axis is logarithmic; a share below ``LOWEST`` (0 included) or
    above ``HIGHEST`` (infinity included) is drawn on the border.

    Args:
        title: heading of the plot.
        shares: for each variant and backend, one share per epoch from epoch 1; None where no
            comparison was made.
        undecidable_from: for a variant, the first epoch where a difference proves nothing.
        backends: the order of the colours, so that a backend keeps its colour from plot to plot;
            those that are not in ``shares`` are left out.
        caption: small print beside the title.

    Returns:
        A Matplotlib figure, to be given to :func:`save` or :func:`to_svg_text`.

    Raises:
        ValueError: there is no variant to draw.
    """
    if not shares:
        raise ValueError("there are no shares to draw: give at least one variant")
    present = dict.fromkeys(backend for runs in shares.values() for backend in runs)
    order = list(dict.fromkeys([*backends, *present]))
    starts = undecidable_from or {}
    with styled():
        drawing, all_axes = frames(
            len(shares),
            title=title,
            x_label="epoch",
            y_label="difference / tolerance",
            caption=caption,
        )
        for axes, (variant, runs) in zip(all_axes, shares.items(), strict=True):
            axes.set_title(variant)
            longest = max((len(series) for series in runs.values()), default=0)
            if variant in starts and starts[variant] <= longest:
                start = starts[variant]
                axes.axvspan(start - 0.5, longest + 0.5, color=SHADE, alpha=0.2, linewidth=0)
            axes.axhline(1, color=INK, linewidth=1, linestyle=(0, (4, 2)))
            note_missing(
                axes, [backend for backend in present if not _known(runs.get(backend, ()))]
            )
            for layer, backend in enumerate(order):
                known = _known(runs.get(backend, ()))
                axes.plot(
                    list(known),
                    [min(max(share, LOWEST), HIGHEST) for share in known.values()],
                    color=layer_colour(layer),
                    linewidth=1.4 + layer_step(layer, len(order)) / 2,
                    marker="o",
                    markersize=2.5 + layer_step(layer, len(order)),
                    markeredgewidth=0,
                )
        axes = all_axes[0]
        axes.set_yscale("log")
        axes.set_ylim(LOWEST / 2, max(axes.get_ylim()[1], 20.0))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
        found = {
            name: any(_known(runs.get(name, ())) for runs in shares.values())
            if name in present
            else None
            for name in order
        }
        handles: list[Artist] = [
            *backend_handles(found),
            handle("tolerance", {"color": INK, "linewidth": 1, "linestyle": (0, (4, 2))}),
        ]
        if starts:
            handles.append(Patch(facecolor=SHADE, alpha=0.25, label="undecidable"))
        legend(drawing, handles)
        return settle(drawing)


def _known(series: Series) -> dict[int, float]:
    return {epoch: share for epoch, share in enumerate(series, start=1) if share is not None}
