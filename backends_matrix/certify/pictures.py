"""The pictures of a certificate: distribution of each side, paired differences, interval and margin."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from backends_matrix.certify.certificate import Certificate, SideRecord
from backends_matrix.certify.margin import MarginKind
from backends_matrix.certify.verdict import Comparison
from portable_models.plots import save
from portable_models.plots.layout import settle
from portable_models.plots.style import INK, SHADE, series_colour, styled


def save_pictures(certificate: Certificate, folder: Path) -> list[Path]:
    """Write one picture for each metric, ``certificate-METRIC.png`` and ``.svg``.

    Returns:
        The files.

    Raises:
        OSError: one cannot be written.
    """
    written: list[Path] = []
    used: set[str] = set()
    for number, metric in enumerate(certificate.margins, start=1):
        drawing = draw_metric(certificate, metric)
        # A metric's name is a user's, and no path.
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", metric)[:60].lstrip(".")
        name = f"metric-{number}" if not name or name in used else name
        used.add(name)
        for ending in ("png", "svg"):
            path = folder / f"certificate-{name}.{ending}"
            path.unlink(missing_ok=True)
            written.append(save(drawing, path))
    return written


def draw_metric(certificate: Certificate, metric: str) -> Drawing:
    """Draw one metric in three frames.

    Args:
        certificate: what is drawn.
        metric: one of its metrics.
    """
    comparisons = [each for each in certificate.comparisons if each.metric == metric]
    study, seeds = certificate.study, len(certificate.plan.seeds)
    with styled():
        drawing = Drawing(figsize=(10.5, 3.2 + 0.25 * len(comparisons)), layout="constrained")
        distributions, differences, intervals = drawing.subplots(1, 3)
        title = f"{study.experiment}/{study.variant}: {metric}, {seeds} seeds a side"
        if study.synthetic:
            title += " (synthetic data)"
        drawing.suptitle(title, x=0.01, ha="left")
        _draw_distributions(distributions, certificate, metric)
        _draw_differences(differences, certificate, comparisons)
        _draw_intervals(intervals, comparisons, certificate.plan.alpha)
        return settle(drawing)


def _draw_distributions(axes: Axes, certificate: Certificate, metric: str) -> None:
    axes.set_title("each side")
    names = [side.name for side in certificate.sides]
    for row, side in enumerate(certificate.sides):
        values = _values(side, metric, certificate.plan.seeds)
        # One dot for each seed, spread over the height of the row in the order of the seeds.
        heights = row + np.linspace(-0.28, 0.28, len(values)) if len(values) > 1 else [row]
        axes.plot(values, heights[: len(values)], ".", color=series_colour(row), alpha=0.7)
        if values:
            axes.plot(
                [np.mean(values)] * 2, [row - 0.36, row + 0.36], "-", color=INK, linewidth=1.4
            )
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(metric)


def _draw_differences(axes: Axes, certificate: Certificate, comparisons: list[Comparison]) -> None:
    axes.set_title("paired differences")
    axes.axvline(0, color=SHADE, linewidth=0.8)
    sides = {side.name: side for side in certificate.sides}
    for row, found in enumerate(comparisons):
        base, other = sides[found.reference], sides[found.side]
        values = [
            other.results[seed].values[found.metric] - base.results[seed].values[found.metric]
            for seed in found.seeds
        ]
        heights = row + np.linspace(-0.28, 0.28, len(values)) if len(values) > 1 else [row]
        axes.plot(values, heights[: len(values)], ".", color=series_colour(row + 1), alpha=0.7)
    _label_rows(axes, comparisons)
    axes.set_xlabel("difference to the reference, by seed")


def _draw_intervals(axes: Axes, comparisons: list[Comparison], alpha: float) -> None:
    axes.set_title("interval and margin")
    relative = comparisons[0].margin.kind is MarginKind.RELATIVE
    scale = 100 if relative else 1
    margin = comparisons[0].margin.value * scale
    axes.axvspan(-margin, margin, color=SHADE, alpha=0.18)
    axes.axvline(0, color=SHADE, linewidth=0.8)
    for row, found in enumerate(comparisons):
        if found.tests is None:
            axes.text(0, row, f" {found.verdict}", va="center", color=INK, fontsize="small")
            continue
        colour = series_colour(row + 1)
        narrow, wide = (
            [end * scale for end in interval]
            for interval in (found.tests.interval, found.tests.wide_interval)
        )
        axes.plot(wide, [row, row], "-", color=colour, linewidth=1.2)
        axes.plot(narrow, [row, row], "-", color=colour, linewidth=4, solid_capstyle="butt")
        axes.plot([found.tests.estimate * scale], [row], "o", color=INK, markersize=4)
        axes.text(
            0.02,
            row - 0.3,
            found.verdict.value,
            transform=axes.get_yaxis_transform(),
            fontsize="small",
            color=INK,
        )
    _label_rows(axes, comparisons)
    unit = "% of the reference's mean" if relative else "in the metric's unit"
    axes.set_xlabel(
        f"{100 * (1 - 2 * alpha):g} % (thick) and {100 * (1 - alpha):g} % interval,\n{unit}"
    )


def _label_rows(axes: Axes, comparisons: list[Comparison]) -> None:
    axes.set_yticks(range(len(comparisons)), [found.side for found in comparisons])
    axes.set_ylim(len(comparisons) - 0.4, -0.6)


def _values(side: SideRecord, metric: str, seeds: object) -> list[float]:
    assert isinstance(seeds, (list, tuple))
    results = [side.results.get(seed) for seed in seeds]
    return [each.values[metric] for each in results if each is not None and metric in each.values]
