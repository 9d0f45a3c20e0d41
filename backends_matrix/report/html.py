"""``report.html``: one file that needs nothing else, neither network nor script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from backends_matrix.report import wording
from backends_matrix.report.drawings import Plot, plots
from backends_matrix.report.headline import headline
from backends_matrix.report.next_steps import next_step, notes
from backends_matrix.report.overview import (
    Row,
    State,
    backends,
    claim_rows,
    data_text,
    example_rows,
    extent,
    last_value,
    measured_lines,
    pipelines,
    place,
    rows,
    shown_cells,
    state,
    variants,
)
from backends_matrix.report.problems import problem_lines
from backends_matrix.report.records import Comparison, Experiment, Report, parse
from backends_matrix.report.summary import explanation, steps, times, versions
from backends_matrix.report.tally import Tally, grouped, summed
from portable_models.plots import to_svg_text

FILE_NAME = "report.html"
_TEMPLATE = "report.html.jinja"


@dataclass(frozen=True)
class Image:
    """A plot as it stands in the page: trusted markup, made here from a drawing."""

    plot: Plot
    svg: Markup


@dataclass(frozen=True)
class Quantity:
    """All comparisons of one quantity of a variant, or of all its digests."""

    variant: str
    name: str
    level: int
    agreement: Tally
    reasons: Sequence[str]


def render(document: Mapping[str, Any], images: Iterable[Image] | None = None) -> str:
    """The page.

    Every text of the document is untrusted and is escaped by the template.

    Args:
        document: a valid document (see :func:`~backends_matrix.report.validate`).
        images: the plots, if they have been drawn already (see :func:`image`).
    """
    report = parse(document)
    if images is None:
        images = [image(plot, number) for number, plot in enumerate(plots(report))]
    return _page.render(_context(report, list(images)))


def image(plot: Plot, number: int) -> Image:
    """A drawing for the page; ``number`` makes its ids differ from all other plots'."""
    # ElementTree has escaped every text in it, so it may stand in the page as it is.
    svg = to_svg_text(plot.drawing, title=plot.title, prefix=f"plot{number}-")
    return Image(plot, Markup(svg))


def _environment() -> Environment:
    folder = files(__package__)
    environment = Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "value": wording.value,
        "scientific": wording.scientific,
        "rounded_up": wording.rounded_up,
        "duration": wording.duration,
        "memory": wording.memory,
        "words": wording.words,
        "grouped": wording.with_thousands,
    }
    environment.globals |= {
        "data_text": data_text,
        "share_text": wording.share_text,
        "last_value": last_value,
        "measured_lines": measured_lines,
        "levels": wording.LEVELS,
        "nothing": wording.NOTHING,
        "marks": {
            "agrees": "✓",
            "reference": "●",
            "ran": "●",
            "undecidable": "~",
            "differs": "✕",
            "error": "!",
            "absent": wording.NOTHING,
        },
    }
    return environment


# Compiled with this module, which is imported while the workers import their frameworks.
_page = _environment().get_template(_TEMPLATE)


def _context(report: Report, images: Sequence[Image]) -> dict[str, Any]:
    names = list(report.experiments)
    by_level = grouped(report.comparisons, lambda entry: entry.level)
    return {
        "report": report,
        "headline": headline(report),
        "created": wording.moment(report.created),
        "extent": extent(report),
        "total": summed(report.comparisons),
        "explanation": explanation(report),
        "times": times(report),
        "problems": problem_lines(report),
        "notes": notes(report),
        "next_step": next_step(report, None),
        "backends": backends(report),
        "pipelines": pipelines(report),
        "matrix": {name: _matrix(report, name) for name in names},
        "by_level": {level: summed(group) for level, group in sorted(by_level.items())},
        "anchors": {name: f"experiment-{number}" for number, name in enumerate(names, start=1)},
        "sections": [
            _section(report, experiment, images) for experiment in report.experiments.values()
        ],
        "claims": grouped(claim_rows(report), lambda claim: claim.experiment),
        "cells": shown_cells(report),
        "environment": _environment_table(report),
        "steps": steps(report),
        "versions": versions(report),
        "differing_settings": _differing_settings(report),
    }


def _matrix(report: Report, experiment: str) -> dict[str, list[State]]:
    """For each variant, the states in the order of backends, and within them of pipelines."""
    judged = grouped(report.comparisons, place)
    cells = {
        (c.variant, c.backend, c.pipeline): c
        for c in shown_cells(report)
        if c.experiment == experiment
    }
    return {
        variant: [
            state(
                cells.get((variant, backend, pipeline)),
                report,
                judged.get((experiment, variant, backend, pipeline), ()),
            )
            for backend in backends(report)
            for pipeline in pipelines(report)
        ]
        for variant in variants(report, experiment)
    }


def _section(report: Report, experiment: Experiment, images: Sequence[Image]) -> dict[str, Any]:
    own = [each for each in images if each.plot.experiment == experiment.name]
    compared = [entry for entry in report.comparisons if entry.experiment == experiment.name]
    found: list[Row] = rows(report, experiment.name)
    sums = {row.variant: row.agreement for row in found}
    return {
        "experiment": experiment,
        "rows": found,
        "figures": grouped(
            (each for each in own if each.plot.figure), lambda each: each.plot.figure
        ),
        "tolerance": next(
            (each for each in own if not each.plot.figure and not each.plot.variant), None
        ),
        "metrics": [(each, sums.get(each.plot.variant)) for each in own if each.plot.variant],
        "quantities": _quantities(compared),
        "compared": grouped(compared, lambda entry: (entry.level, entry.variant, entry.quantity)),
        "made": len(compared),
        "examples": example_rows(report, experiment.name),
    }


def _quantities(compared: Sequence[Comparison]) -> list[Quantity]:
    found = []
    by_variant = grouped(compared, lambda entry: (entry.variant, entry.level))
    for (variant, level), group in by_variant.items():
        by_quantity = grouped(group, lambda entry: entry.quantity)
        if level == 0 and not summed(group).differing:
            # Equal digests have nothing to say apart from each other.
            names = ", ".join(wording.words(name) for name in by_quantity)
            title = wording.count(len(by_quantity), "digest")
            reasons = [f"none; equal are {names}"]
            found.append(Quantity(variant, title, level, summed(group), reasons))
            continue
        found += [
            Quantity(variant, name, level, summed(entries), _reasons(entries))
            for name, entries in by_quantity.items()
        ]
    return found


def _reasons(group: Iterable[Comparison]) -> list[str]:
    """The reason of the worst comparison's tolerance, and the number of other reasons."""
    worst = summed(group := list(group)).worst
    others = {entry.why for entry in group if entry.why} - {worst.why if worst else ""}
    first = [worst.why] if worst and worst.why else []
    return first + ([f"and {wording.count(len(others), 'other reason')}"] if others else [])


def _environment_table(report: Report) -> dict[str, dict[str, str]]:
    """By setting: what each backend's worker said of it."""
    table: dict[str, dict[str, str]] = {}
    for backend, settings in report.environment["backends"].items():
        for key, text in _flat(settings):
            table.setdefault(key, {})[backend] = text
    return table


def _differing_settings(report: Report) -> set[str]:
    """In a comparison of two runs, the settings that they do not share."""
    return {each.setting for each in report.environment_differences}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for key, content in settings.items():
        if isinstance(content, Mapping):
            yield from _flat(content, f"{prefix}{key} ")
        else:
            yield prefix + str(key), str(content)
