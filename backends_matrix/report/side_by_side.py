"""A comparison of two runs, shown as a run is: each run stands where a backend stands otherwise.

``report.json`` names backends and runs apart. The renderings have one column for each thing that is held
against another, which here are the runs, and one row for each variant *on a backend*.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Entry = Mapping[str, Any]


def side_by_side(document: Entry) -> Entry:
    """The document with runs in the place of backends; as it is where it is of one run."""
    if "runs" not in document:
        return document
    cells = [_moved(entry) for entry in document["cells"]]
    return {
        **document,
        "environment": {
            **document["environment"],
            "backends": {run["name"]: _settings(run) for run in document["runs"]},
        },
        "experiments": {
            name: _experiment(
                entry, [cell for cell in document["cells"] if cell["experiment"] == name]
            )
            for name, entry in document["experiments"].items()
        },
        "cells": cells,
        "comparisons": [
            {**_moved(entry), "reference": entry.get("reference_run", entry["reference"])}
            for entry in document["comparisons"]
        ],
        "explanations": [_moved(entry) for entry in document.get("explanations", ())],
        "problems": [_moved(entry) for entry in document["problems"]],
    }


def _moved(entry: Entry) -> dict[str, Any]:
    """A record of one run; what names no run is everywhere and stays as it is."""
    if "run" not in entry:
        return dict(entry)
    return {**entry, "variant": _on(entry["variant"], entry["backend"]), "backend": entry["run"]}


def _on(variant: str, backend: str) -> str:
    return f"{variant} on {backend}"


def _settings(run: Entry) -> dict[str, Any]:
    environment = dict(run["environment"])
    project = run["project"]
    return {
        "made": run["created"],
        project["name"]: project["version"],
        **{key: value for key, value in environment.items() if key != "backends"},
        **environment["backends"],
    }


def _experiment(entry: Entry, cells: list[Entry]) -> dict[str, Any]:
    """Its variants and figures once for each backend that has cells of them."""
    backends = dict.fromkeys(cell["backend"] for cell in cells)
    held = {(cell["variant"], cell["backend"]) for cell in cells}
    figures = []
    for figure in entry["figures"]:
        for backend in backends:
            curves = [
                {**curve, "variant": _on(curve["variant"], backend)}
                for curve in figure["curves"]
                if (curve["variant"], backend) in held
            ]
            if curves:
                named = {
                    "name": f"{figure['name']}-{backend}",
                    "title": _on(figure["title"], backend),
                }
                figures.append({**figure, **named, "curves": curves})
    return {
        **entry,
        "variants": [
            {**variant, "name": _on(variant["name"], backend)}
            for variant in entry["variants"]
            for backend in backends
            if (variant["name"], backend) in held
        ],
        "figures": figures,
    }
