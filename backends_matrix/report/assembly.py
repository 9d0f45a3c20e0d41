"""The document that ``report.json`` holds and every report is rendered from."""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from backends_matrix.judge.cells import judge_cells
from backends_matrix.judge.comparison import Agreement, Comparison
from backends_matrix.judge.explanation import explain
from backends_matrix.run.cell import Cell
from backends_matrix.run.environment import describe_host
from backends_matrix.run.result import CellResult
from backends_matrix.run.settings import MatrixSettings

SCHEMA = 1
EXIT_CODES = {"agree": 0, "ran": 0, "differ": 1, "error": 3}
"""Verdict -> exit code of the command. "ran": one cell per variant, so there was nothing to compare."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished or interrupted run of the matrix."""

    settings: MatrixSettings
    reference: str
    descriptions: Mapping[str, Mapping[str, Any]]
    results: Sequence[CellResult]
    environments: Mapping[str, Mapping[str, Any]]
    claims: Sequence[Mapping[str, Any]]
    steps: Sequence[Comparison]
    without_steps: Mapping[Cell, str]
    command: Sequence[str]
    interrupted: bool
    seconds: Mapping[str, float]


def build_document(run: Run) -> dict[str, Any]:
    """Judge a run and put it into the form of ``report.schema.json``."""
    started = time.perf_counter()
    names = {key: str(entry["name"]) for key, entry in run.descriptions.items()}
    comparisons = sorted(
        [*judge_cells(run.results, run.reference), *run.steps], key=lambda each: each.level
    )
    explanations = explain(comparisons)
    seconds = dict(run.seconds)
    seconds["judging"] = seconds.get("judging", 0.0) + time.perf_counter() - started
    seconds["training"] = sum(result.seconds or 0.0 for result in run.results)
    rows = [{**each.to_json(), "experiment": names[each.experiment]} for each in comparisons]
    return {
        "schema": SCHEMA,
        "verdict": verdict(run, comparisons),
        "project": {
            "name": "portable_models",
            "version": importlib.metadata.version("portable-models"),
        },
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": list(run.command),
        "interrupted": run.interrupted,
        "reference": run.reference,
        "seconds": seconds,
        "environment": {
            **describe_host(),
            "backends": {
                backend: dict(run.environments.get(backend, {"error": _why_absent(run, backend)}))
                for backend in run.settings.backends
            },
        },
        "experiments": {
            entry["name"]: _experiment(entry, run) for entry in run.descriptions.values()
        },
        "cells": [cell_entry(result, names) for result in run.results],
        "comparisons": rows,
        "explanations": [
            {**asdict(each), "experiment": names[each.experiment]} for each in explanations
        ],
        "claims": [dict(claim) for claim in run.claims],
        "examples": [
            {"experiment": names[result.cell.experiment], "backend": result.cell.backend, **example}
            for result in run.results
            if not result.cell.replica and result.cell.pipeline == run.settings.pipelines[0]
            for example in result.outcome.get("examples", ())
        ],
        "problems": [
            *(
                _problem(result.cell, result.status.value, result.reason, names)
                for result in run.results
                if not result.ok
            ),
            *(
                _problem(cell, "failed", f"its single steps were not compared: {reason}", names)
                for cell, reason in run.without_steps.items()
            ),
        ],
    }


def verdict(run: Run, comparisons: Sequence[Comparison]) -> str:
    """One word for the whole run; ``differ`` outranks ``error``: a difference that was found stays found."""
    if any(each.verdict is Agreement.DIFFERS for each in comparisons):
        return "differ"
    failed = run.without_steps or not all(result.ok for result in run.results)
    if run.interrupted or not run.results or failed:
        return "error"
    originals = [result.cell for result in run.results if not result.cell.replica]
    several = len(originals) > len({(cell.experiment, cell.variant) for cell in originals})
    if not several:
        return "ran"
    return "agree" if comparisons else "error"


def _why_absent(run: Run, backend: str) -> str:
    reasons = (
        result.reason for result in run.results if result.cell.backend == backend and not result.ok
    )
    return next(reasons, "no cell was run")


def _experiment(entry: Mapping[str, Any], run: Run) -> dict[str, Any]:
    mine = [result for result in run.results if run.descriptions[result.cell.experiment] is entry]
    ran = {result.cell.variant for result in mine}
    parameters = {
        result.cell.variant: result.outcome.get("parameters") for result in mine if result.ok
    }
    return {
        "asked": next(key for key, each in run.descriptions.items() if each is entry),
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


def _problem(cell: Cell, status: str, reason: str, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "experiment": names[cell.experiment],
        "variant": cell.variant,
        "backend": cell.backend,
        "pipeline": cell.pipeline,
        "replica": cell.replica,
        "status": status,
        "reason": reason,
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
        "samples": dict(result.outcome.get("samples", {})),
        "history": dict(result.history),
        "final": dict(result.final),
        "digests": dict(result.digests),
    }
