"""The report's plots: what to draw of which cells, and under which file name."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from matplotlib.figure import Figure as Drawing

from backends_matrix.report.overview import backends, lead_cell, variants
from backends_matrix.report.plot_data import last_epoch, trajectories
from backends_matrix.report.records import Comparison, Experiment, Report, Verdict
from backends_matrix.report.tally import grouped, summed
from portable_models.plots import (
    Band,
    Figure,
    History,
    draw,
    draw_overlaid,
    draw_shares,
    draw_trajectories,
)

_TRAJECTORY = 2
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Plot:
    """One drawing and what it is of.

    Args:
        experiment: the experiment that it belongs to.
        figure: the figure it shows, or empty for the shares of the tolerance and for trajectories.
        backend: the only backend in it, or empty for all of them.
        name: file name without an ending; safe whatever the experiment is called.
        title: what a screen reader says.
        drawing: the drawing.
        variant: the variant whose metrics it shows, each with its noise band; empty for other plots.
    """

    experiment: str
    figure: str
    backend: str
    name: str
    title: str
    drawing: Drawing = field(repr=False)
    variant: str = ""

    @property
    def panels(self) -> int:
        """The number of frames in the drawing."""
        return len(self.drawing.axes)


def plots(report: Report) -> Iterator[Plot]:
    """Every plot of a report, drawn one by one, so that no more than one need be held at a time."""
    for experiment in report.experiments.values():
        for figure in experiment.figures:
            yield from _figure_plots(report, experiment, figure)
        yield from _share_plots(report, experiment)
        for variant, shown in trajectories(report, experiment.name).items():
            yield Plot(
                experiment.name,
                "",
                "",
                f"{safe_name(experiment.name)}-{safe_name(variant)}-metrics",
                f"Metrics of {experiment.name}/{variant} on {', '.join(backends(report))}",
                draw_trajectories(
                    variant,
                    shown,
                    backends=backends(report),
                    caption="synthetic data" if experiment.synthetic else "",
                ),
                variant,
            )


def _figure_plots(report: Report, experiment: Experiment, figure: Figure) -> Iterator[Plot]:
    histories = _histories(report, experiment.name, figure)
    note = "synthetic data" if experiment.synthetic else ""
    last = last_epoch(report)
    compared = [
        entry
        for entry in report.comparisons
        if entry.experiment == experiment.name
        and entry.level == _TRAJECTORY
        and (entry.epoch or 0) <= last
    ]
    reference = next((entry.reference for entry in compared), None)
    name = f"{safe_name(experiment.name)}-{safe_name(figure.name)}"
    if not any(histories.values()):
        # An empty frame would say nothing.
        return
    # One backend with nothing to compare it with is drawn once.
    if compared or len(histories) > 1:
        overlaid = draw_overlaid(
            figure, histories, bands=_bands(compared, figure), reference=reference, caption=note
        )
        title = f"{figure.title}; {experiment.name} on {', '.join(histories)}"
        yield Plot(experiment.name, figure.name, "", f"{name}-overlaid", title, overlaid)
    for backend, runs in histories.items():
        if runs:
            alone = draw(figure, runs, caption=" · ".join(filter(None, (backend, note))))
            title = f"{figure.title}; {experiment.name} on {backend}"
            file_name = f"{name}-{safe_name(backend)}"
            yield Plot(experiment.name, figure.name, backend, file_name, title, alone)


def _share_plots(report: Report, experiment: Experiment) -> Iterator[Plot]:
    last = last_epoch(report)
    compared = [
        entry
        for entry in report.comparisons
        if (entry.experiment, entry.level) == (experiment.name, _TRAJECTORY)
        and entry.epoch is not None
        and entry.epoch <= last
    ]
    by_variant = grouped(compared, lambda entry: entry.variant)
    shares: dict[str, dict[str, list[float | None]]] = {}
    starts: dict[str, int] = {}
    for variant in variants(report, experiment.name):
        if variant not in by_variant:
            continue
        by_backend = grouped(by_variant[variant], lambda entry: entry.backend)
        shares[variant] = {name: _by_epoch(group) for name, group in by_backend.items()}
        start = _wholly_undecidable_from(by_variant[variant])
        if start is not None:
            starts[variant] = start
    if shares:
        yield Plot(
            experiment.name,
            "",
            "",
            f"{safe_name(experiment.name)}-tolerance",
            f"Largest share of the tolerance used at each epoch; {experiment.name}",
            draw_shares(
                "Share of the tolerance used",
                shares,
                undecidable_from=starts,
                backends=backends(report),
                caption="synthetic data" if experiment.synthetic else "",
            ),
        )


def _histories(report: Report, experiment: str, figure: Figure) -> dict[str, dict[str, History]]:
    found: dict[str, dict[str, History]] = {}
    for backend in backends(report):
        cells = {name: lead_cell(report, experiment, name, backend) for name in figure.variants}
        found[backend] = {name: cell.history for name, cell in cells.items() if cell and cell.ok}
    return found


def _bands(compared: list[Comparison], figure: Figure) -> Mapping[tuple[str, str], Band]:
    shown = {(curve.variant, curve.quantity) for curve in figure.curves}
    by_quantity = grouped(
        (entry for entry in compared if (entry.variant, entry.quantity) in shown),
        lambda entry: (entry.variant, entry.quantity),
    )
    bands = {}
    for quantity, group in by_quantity.items():
        widths: dict[int, float] = {}
        for entry in group:
            if entry.epoch is not None and entry.tolerance is not None:
                # The narrowest: a band must not promise more room than one of the backends has.
                widths[entry.epoch] = min(entry.tolerance, widths.get(entry.epoch, math.inf))
        half_widths = tuple(widths.get(epoch) for epoch in range(1, max(widths, default=0) + 1))
        bands[quantity] = Band(half_widths, summed(group).undecidable_from)
    return bands


def _by_epoch(group: list[Comparison]) -> list[float | None]:
    """The largest share of each epoch, of the comparisons that decide something if there are any."""
    decidable: dict[int, float] = {}
    undecidable: dict[int, float] = {}
    for entry in group:
        known = entry.difference is not None and entry.tolerance is not None
        if entry.epoch is not None and (known or entry.verdict is Verdict.DIFFERS):
            of = undecidable if entry.verdict is Verdict.UNDECIDABLE else decidable
            of[entry.epoch] = max(entry.share, of.get(entry.epoch, 0.0))
    largest = undecidable | decidable
    return [largest.get(epoch) for epoch in range(1, max(largest, default=0) + 1)]


def _wholly_undecidable_from(group: list[Comparison]) -> int | None:
    """The epoch from which on no comparison decides anything; None if some do to the end."""
    last = max(entry.epoch or 0 for entry in group)
    decided = [entry.epoch or 0 for entry in group if entry.verdict is not Verdict.UNDECIDABLE]
    start = max(decided, default=0) + 1
    return start if start <= last else None


def safe_name(text: str) -> str:
    """A part of a file name: letters, digits, ``_`` and ``-`` only, and different for each text."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "_", text)[:_LONGEST_NAME]
    if safe == text and safe:
        return safe
    return f"{safe}_{hashlib.sha256(text.encode()).hexdigest()[:6]}"
