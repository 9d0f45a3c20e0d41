"""Plots of training histories.

What a figure shows (:class:`Figure`) is plain data; Matplotlib is imported only when something is
drawn, so that a worker or an experiment can speak of figures without it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from portable_models.plots.figure import (
    Band,
    Curve,
    CurveStyle,
    Figure,
    History,
    Series,
    exponential_moving_average,
)

if TYPE_CHECKING:
    from portable_models.plots.curves import draw, draw_overlaid
    from portable_models.plots.output import save, to_svg_text
    from portable_models.plots.tolerance import draw_shares
    from portable_models.plots.trajectories import Trajectory, draw_trajectories

_DRAWN_WITH_MATPLOTLIB = {
    "draw": "curves",
    "draw_overlaid": "curves",
    "draw_shares": "tolerance",
    "Trajectory": "trajectories",
    "draw_trajectories": "trajectories",
    "save": "output",
    "to_svg_text": "output",
}

__all__ = [
    "Band",
    "Curve",
    "CurveStyle",
    "Figure",
    "History",
    "Series",
    "Trajectory",
    "draw",
    "draw_overlaid",
    "draw_shares",
    "draw_trajectories",
    "exponential_moving_average",
    "save",
    "to_svg_text",
]


def __getattr__(name: str) -> Any:
    if name in _DRAWN_WITH_MATPLOTLIB:
        module = importlib.import_module(f"{__name__}.{_DRAWN_WITH_MATPLOTLIB[name]}")
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
