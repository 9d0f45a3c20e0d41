"""The document that ``report.json`` holds and every report is rendered from."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from backends_matrix.judge.comparison import Agreement, Comparison
from backends_matrix.judge.explanation import explain, kind_of
from backends_matrix.own_version import own_version
from backends_matrix.run.cell import Cell
from backends_matrix.run.environment import describe_host
from backends_matrix.run.result import CellResult, Status
from backends_matrix.run.settings import MatrixSettings
from backends_matrix.run.state import RunState

SCHEMA = 1
EXIT_CODES = {"agree": 0, "ran": 0, "differ": 1, "undecidable": 3, "error": 3}
"""Verdict -> exit code of the command. "ran": one cell per variant, so there was nothing to compare."""


_LOGGED = ("failed", "crashed", "timed out")
"""Statuses of cells that a worker ran; its log says more."""


def build_document(
    run: RunState, settings: MatrixSettings, reference: str, command: Sequence[str]
) -> dict[str, Any]:
    """Judge a run and put it into the form of ``report.schema.json``."""
    started = time.perf_counter()
    names = {key: str(entry["name"]) for key, entry in run.descriptions.items()}
    results = run.all_results()
    comparisons = sorted([*run.judge(reference), *run.steps], key=lambda each: each.level)
    explanations = explain(comparisons)
    seconds = dict(run.seconds)
    seconds["judging"] = seconds.get("judging", 0.0) + time.perf_counter() - started
    seconds["training"] = sum(result.seconds or 0.0 for result in results)
    rows = [
        {
            **each.to_json(),
            "experiment": names[each.experiment],
            "kind": kind_of(each, explanations),
        }
        for each in comparisons
    ]
    return {
        "schema": SCHEMA,
        "verdict": decide_verdict(run, results, comparisons),
        "project": {
            "name": "portable_models",
            "version": own_version(),
        },
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": list(command),
        "interrupted": bool(run.interrupted),
        "reference": reference,
        "seconds": seconds,
        "environment": {
            **describe_host(),
            "backends": {
                backend: dict(
                    run.environments.get(backend, {"error": _why_absent(results, backend)})
                )
                for backend in settings.backends
            },
        },
        "experiments": {
            entry["name"]: _experiment(asked, entry, results)
            for asked, entry in run.descriptions.items()
        },
        "cells": [cell_entry(result, names) for result in results],
        "comparisons": rows,
        "explanations": [
            {**asdict(each), "experiment": names[each.experiment]} for each in explanations
        ],
        "claims": [dict(claim) for claim in run.claims],
        "examples": [
            {"experiment": names[result.cell.experiment], "backend": result.cell.backend, **example}
            for result in results
            if not result.cell.replica and result.cell.pipeline == settings.pipelines[0]
            for example in result.outcome.get("examples", ())
        ],
        "problems": _problems(run, results, comparisons, names),
        "notes": [*run.notes, *_diverged(results, names)],
        "options": _options(settings),
    }


def _diverged(results: Sequence[CellResult], names: Mapping[str, str]) -> list[str]:
    """What is said of trainings whose numbers are not finite."""
    found: dict[str, list[str]] = {}
    for result in results:
        if result.status is Status.DIVERGED and not result.cell.replica:
            place = f"{names[result.cell.experiment]}/{result.cell.variant}"
            found.setdefault(f"{place}: {result.reason}", []).append(result.cell.backend)
    return [f"{text} on {', '.join(dict.fromkeys(on))}" for text, on in found.items()]


def _problems(
    run: RunState,
    results: Sequence[CellResult],
    comparisons: Sequence[Comparison],
    names: Mapping[str, str],
) -> list[dict[str, Any]]:
    found = [
        _problem(result.cell, result.status.value, result.reason, names)
        for result in results
        if _is_failure(result, comparisons)
    ]
    planned = {cell.experiment for cell in run.cells}
    found += [
        {
            **dict.fromkeys(("variant", "backend", "pipeline"), ""),
            "experiment": names[asked],
            "replica": 0,
            "status": "failed",
            "reason": entry["error"],
        }
        for asked, entry in run.descriptions.items()
        if entry.get("error") and asked not in planned
    ]
    found += [
        {
            "experiment": names[experiment],
            "variant": variant,
            **dict.fromkeys(("backend", "pipeline"), ""),
            "replica": 0,
            "status": "invalid",
            "reason": reason,
        }
        for (experiment, variant), reason in run.irreproducible.items()
    ]
    found += [
        _problem(cell, "failed", f"its single steps were not compared: {reason}", names)
        for cell, reason in run.without_steps.items()
    ]
    return found


def decide_verdict(
    run: RunState, results: Sequence[CellResult], comparisons: Sequence[Comparison]
) -> str:
    """One word for the whole run; ``differ`` outranks ``error``: a difference that was found stays found."""
    if any(each.verdict is Agreement.DIFFERS for each in comparisons):
        return "differ"
    failed = any(_is_failure(result, comparisons) for result in results) or any(
        entry.get("error") for entry in run.descriptions.values()
    )
    if run.interrupted or not results or failed or run.without_steps or run.irreproducible:
        return "error"
    originals = [result.cell for result in results if not result.cell.replica]
    if len(originals) == len({(cell.experiment, cell.variant) for cell in originals}):
        return "ran"
    return "agree" if is_decided(comparisons) else "undecidable"


def _is_failure(result: CellResult, comparisons: Sequence[Comparison]) -> bool:
    """True for a cell without numbers, and for one whose training diverged where nothing was compared."""
    if not result.comparable:
        return True
    place = (result.cell.experiment, result.cell.variant)
    return not result.ok and all((each.experiment, each.variant) != place for each in comparisons)


def is_decided(comparisons: Sequence[Comparison]) -> bool:
    """True if something was compared, and something beyond digests could be decided of every cell that was.

    Equal digests say that the same went in; what came out is what is asked.
    """
    places = {_place(each) for each in comparisons}
    decided = {
        _place(each)
        for each in comparisons
        if each.level > 0 and each.verdict is not Agreement.UNDECIDABLE
    }
    return bool(places) and places == decided


def _place(comparison: Comparison) -> tuple[str, str, str, str]:
    return comparison.experiment, comparison.variant, comparison.backend, comparison.pipeline


def _why_absent(results: Sequence[CellResult], backend: str) -> str:
    reasons = (
        result.reason for result in results if result.cell.backend == backend and not result.ok
    )
    return next(reasons, "no cell was run")


def _experiment(
    asked: str, entry: Mapping[str, Any], results: Sequence[CellResult]
) -> dict[str, Any]:
    mine = [result for result in results if result.cell.experiment == asked]
    ran = {result.cell.variant for result in mine}
    parameters = {
        result.cell.variant: result.outcome.get("parameters") for result in mine if result.ok
    }
    return {
        "asked": asked,
        "title": entry["title"],
        "description": entry["description"],
        "data": entry.get("data"),
        "error": entry.get("error", ""),
        "variants": [
            {**variant, "parameters": parameters.get(variant["name"])}
            for variant in entry["variants"]
            if variant["name"] in ran
        ],
        "figures": [
            figure
            for figure in entry["figures"]
            if any(curve["variant"] in ran for curve in figure["curves"])
        ],
    }


def _options(settings: MatrixSettings) -> dict[str, Any]:
    """The options that are not the defaults, as plain values; what a command needs to run the same again."""
    plain = MatrixSettings(out=settings.out)
    names = ("data", "seed", "engine", "device", "trust", "timeout")
    found = {
        name: getattr(settings, name)
        for name in names
        if getattr(settings, name) != getattr(plain, name)
    }
    if settings.epochs:
        found["epochs"] = dict(settings.epochs)
    if settings.setup:
        found["setup"] = dict(settings.setup)
    return found


def _problem(cell: Cell, status: str, reason: str, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "experiment": names[cell.experiment],
        "variant": cell.variant,
        "backend": cell.backend,
        "pipeline": cell.pipeline,
        "replica": cell.replica,
        "status": status,
        "reason": reason,
        "log": f"logs/{cell.backend}.log" if status in _LOGGED else "",
    }


def cell_entry(result: CellResult, names: Mapping[str, str]) -> dict[str, Any]:
    """A cell as ``report.json`` holds it; ``names`` are the experiments' by what they were asked for as."""
    cell = result.cell
    return {
        "experiment": names[cell.experiment],
        "variant": cell.variant,
        "backend": cell.backend,
        "pipeline": cell.pipeline,
        "device": cell.device,
        "engine": result.outcome.get("engine", cell.engine),
        "replica": cell.replica,
        "data": cell.data,
        "seed": cell.seed,
        "status": result.status.value,
        "reason": result.reason,
        "seconds": result.seconds,
        "compile_seconds": result.outcome.get("compile_seconds"),
        "peak_memory_bytes": result.peak_memory_bytes,
        "device_peak_memory_bytes": result.device_peak_memory_bytes,
        "samples": dict(result.outcome.get("samples", {})),
        "history": dict(result.history),
        "final": dict(result.final),
        "digests": dict(result.digests),
    }
