"""How every plot looks: colours that the colour-blind can tell apart, and Matplotlib's settings."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from matplotlib import style

INK = "#24292f"
MUTED = "#6b737c"
GRID = "#dde2e7"
SHADE = "#8c959f"

# Okabe and Ito, "Color Universal Design" (https://jfly.uni-koeln.de/color/), without the yellow
# that cannot be read on white.
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")

# Backends lie on top of each other, from a wide pale curve to a thin dark one: each shows the next.
LAYERS = ("#56b4e9", "#d55e00", INK, "#009e73", "#cc79a7")

# In an inline SVG a page may set these to follow its own light or dark scheme.
CSS_VARIABLES: Mapping[str, str] = MappingProxyType(
    {INK: "--plot-ink", MUTED: "--plot-muted", GRID: "--plot-grid", SHADE: "--plot-shade"}
    | {colour: f"--plot-series-{position}" for position, colour in enumerate(SERIES, start=1)}
)

MARKERS = ("o", "s", "^", "D")
DASHES = ("-", "--", ":", "-.")

_SETTINGS: Mapping[Any, Any] = MappingProxyType(
    {
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 9,
        # Labels come from users' experiments: a dollar sign in one is a dollar sign, not a formula.
        "text.usetex": False,
        "text.parse_math": False,
        "axes.formatter.use_mathtext": False,
        "axes.unicode_minus": True,
        "text.color": INK,
        "axes.titlesize": 9.5,
        "axes.titlecolor": INK,
        "axes.titlelocation": "left",
        "axes.labelsize": 9,
        "axes.labelcolor": MUTED,
        "axes.edgecolor": GRID,
        "axes.facecolor": "none",
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": GRID,
        "grid.linewidth": 0.7,
        "xtick.color": GRID,
        "ytick.color": GRID,
        "xtick.labelcolor": MUTED,
        "ytick.labelcolor": MUTED,
        "legend.frameon": False,
        "legend.handlelength": 2.2,
        "figure.facecolor": "white",
        "figure.titlesize": 11,
        "figure.titleweight": "bold",
        "figure.dpi": 100,
        "savefig.dpi": 150,
        "svg.fonttype": "none",
        "svg.hashsalt": "portable_models",
    }
)


def series_colour(position: int) -> str:
    """The colour of the series at this position, counted from 0; they repeat after the last."""
    return SERIES[position % len(SERIES)]


def layer_colour(position: int) -> str:
    """The colour of the backend at this position, counted from 0; they repeat after the last."""
    return LAYERS[position % len(LAYERS)]


@contextmanager
def styled() -> Iterator[None]:
    """The settings for drawing and writing, whatever the user's own matplotlibrc says."""
    with style.context(dict(_SETTINGS), after_reset=True), warnings.catch_warnings():
        # A label in a script that the font lacks is drawn as boxes: no reason to stop a report.
        warnings.filterwarnings("ignore", r"Glyph .* missing from font", UserWarning)
        yield
