"""The page of a check: one HTML file that needs nothing else, neither network nor script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from backends_matrix.check.layer_drawing import draw_errors
from backends_matrix.check.result import Check, CheckReport, Status, TargetResult
from backends_matrix.check.terminal import causes
from backends_matrix.report.records import showable
from portable_models.plots import to_svg_text

_TEMPLATE = "page.html.jinja"
_FOLDERS = {_TEMPLATE: "backends_matrix.check", "style.html.jinja": "backends_matrix.report"}
_CLASSES = {"portable": "agree", "not portable": "differ", "error": "error"}
_ORDER = (Status.FAIL, Status.EXPECTED, Status.SKIP, Status.PASS)


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Args:
        status: pass, fail, expected, skip, or "" where nothing was checked.
        text: what stands in it.
        title: more of it, for whoever points at it.
    """

    status: str
    text: str
    title: str = ""


def render(report: CheckReport) -> str:
    """The page of a report.

    Every text of the report is untrusted: the template escapes it, and characters that cannot be shown are
    replaced.
    """
    sections = [_section(target, number) for number, target in enumerate(report.targets)]
    return _page.render(
        verdict=report.verdict,
        verdict_class=_CLASSES[report.verdict],
        executed=sum(target.executed for target in report.targets),
        versions=showable(dict(report.environment.get("versions", {}))),
        sections=sections,
    )


def _load(name: str) -> str:
    return files(_FOLDERS[name]).joinpath(name).read_text(encoding="utf-8")


_page = Environment(
    loader=FunctionLoader(_load),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template(_TEMPLATE)


def _section(target: TargetResult, number: int) -> dict[str, Any]:
    model: dict[str, Any] = showable(dict(target.model))
    backends = list(dict.fromkeys(c.backend for c in target.checks if ">" not in c.backend))
    backends = [name for name in backends if name]
    errors = {name: each for name, each in model.get("errors", {}).items() if each}
    drawing = draw_errors(errors)
    picture = None
    if drawing is not None:
        # ElementTree has escaped every text in it, so it may stand in the page as it is.
        title = f"Error of each layer of {showable(target.target)}"
        picture = Markup(to_svg_text(drawing, title=title, prefix=f"target{number}-"))
    return {
        "anchor": f"target-{number}",
        "name": showable(target.target),
        "verdict": target.verdict,
        "verdict_class": _CLASSES[target.verdict],
        "reason": showable(target.reason),
        "executed": target.executed,
        "seconds": target.seconds,
        "backends": backends,
        "checks": _check_rows(target.checks, backends),
        "layers": [_layer_row(layer, target.checks, errors, backends) for layer in _layers(model)],
        "parameters": model.get("parameters", 0),
        "causes": [showable(_told(check)) for check in causes(target.checks)],
        "scripts": [
            showable({"path": each.path, "check": each.check, "reason": each.reason})
            for each in target.scripts
        ],
        "picture": picture,
    }


def _layers(model: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = list(model.get("layers", []))
    return found


def _check_rows(checks: Sequence[Check], backends: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for name in dict.fromkeys(check.name for check in checks):
        mine = [check for check in checks if check.name == name]
        cells = [
            _check_cell([c for c in mine if c.backend.rpartition(">")[2] == backend])
            for backend in backends
        ]
        found.append({"name": showable(name), "cells": cells})
    return found


def _check_cell(checks: Sequence[Check]) -> Cell:
    if not checks:
        return Cell("", "")
    worst = min(checks, key=lambda check: _ORDER.index(check.status))
    text = str(worst.status)
    if worst.difference is not None and worst.difference < float("inf"):
        text += f" {worst.difference:.0e} / {worst.tolerance or 0.0:.0e}"
    return Cell(str(worst.status), text, str(showable(worst.cause)))


def _layer_row(
    layer: dict[str, Any],
    checks: Sequence[Check],
    errors: dict[str, Any],
    backends: Sequence[str],
) -> dict[str, Any]:
    path = layer["path"]
    cells = []
    for backend in backends:
        wrong = [
            check
            for check in checks
            if check.backend.rpartition(">")[2] == backend
            and check.status in (Status.FAIL, Status.EXPECTED)
            and (check.layer == path or check.layer.startswith(f"{path}/"))
        ]
        own = next((e for e in errors.get(backend, []) if e["layer"] == path), None)
        said = ", ".join(dict.fromkeys(check.name for check in wrong))
        if own is not None:
            far = "not finite" if own["difference"] is None else f"{own['difference']:.0e}"
            said = "; ".join(part for part in (f"{far} / {own['tolerance']:.0e}", said) if part)
        status = str(wrong[0].status) if wrong else "pass" if own is not None else ""
        cells.append(
            Cell(status, str(showable(said)), str(showable(wrong[0].cause if wrong else "")))
        )
    return {
        "path": path, "class": layer["class"], "parameters": layer["parameters"], "cells": cells
    }  # fmt: skip


def _told(check: Check) -> dict[str, Any]:
    return {
        "status": str(check.status),
        "head": f"{check.kind or ''}: {check.name} on {check.backend}",
        "layer": check.layer,
        "place": f"{check.file}:{check.line}" if check.line else "",
        "cause": check.cause,
        "hint": check.hint,
    }
