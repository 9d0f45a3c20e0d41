"""Judge two finished runs against each other: two machines, two versions, two devices. Nothing is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backends_matrix.judge.comparison import Agreement, Comparison
from backends_matrix.judge.digests import compare_digests
from backends_matrix.judge.explanation import explain, kind_of
from backends_matrix.judge.noise import families
from backends_matrix.judge.stored_run import Place, StoredRun, read_runs
from backends_matrix.judge.trajectories import Judgement, compare_metrics
from backends_matrix.own_version import own_version
from backends_matrix.report.assembly import SCHEMA, cell_entry, is_decided
from backends_matrix.run.environment import describe_host
from backends_matrix.run.result import CellResult

_MOST_NAMED = 6


def compare_runs(first: Path, second: Path, *, command: Sequence[str] = ()) -> dict[str, Any]:
    """Hold every cell of one run against its counterpart in another, by levels 0 and 2.

    The noise floor is the larger of those that the two runs hold for a variant: either run's rounding
    carries it away from the other.

    Args:
        first: folder of the run that is compared with.
        second: folder of the run that is judged.
        command: the command line, for the report.

    Returns:
        A report document with ``runs``; see ``report.schema.json``.

    Raises:
        CallError: a folder holds no run that can be read, or both are the same.
    """
    runs = read_runs(first, second)
    ours, theirs = (run.originals for run in runs)
    shared = [place for place in ours if place in theirs]
    pairs = [
        (place, ours[place], theirs[place])
        for place in shared
        if ours[place].comparable and theirs[place].comparable
    ]
    compared = [(place, _compared(place, pair, runs)) for place, *pair in pairs]
    comparisons = sorted((each for _, group in compared for each in group), key=lambda e: e.level)
    broken = [
        place for place in shared if not (ours[place].comparable and theirs[place].comparable)
    ]
    document = {
        "schema": SCHEMA,
        "verdict": _verdict(comparisons, broken),
        "project": {
            "name": "portable_models",
            "version": own_version(),
        },
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": list(command),
        "interrupted": False,
        "environment": {**describe_host(), "backends": {}},
        "runs": [_run_entry(run) for run in runs],
        "environment_differences": _environment_differences(runs, shared),
        "only_in": [
            {"run": run.name, **asdict(place)}
            for run, other in (runs, runs[::-1])
            for place in run.originals
            if place not in other.originals
        ],
        "experiments": _experiments(runs, shared),
        "cells": [
            {**cell_entry(each, {each.cell.experiment: each.cell.experiment}), "run": run.name}
            for run in runs
            for each in run.results
            if any(_variant(place) == _variant_of(each) for place in shared)
            and (each.cell.replica or Place(*_key(each)) in shared)
        ],
        "comparisons": [
            {
                **each.to_json(),
                "kind": kind_of(each, explain(group)),
                "variant": place.variant,
                "backend": place.backend,
                "reference": place.backend,
                "run": runs[1].name,
                "reference_run": runs[0].name,
            }
            for place, group in compared
            for each in group
        ],
        "explanations": [
            {
                **asdict(each),
                "variant": place.variant,
                "backend": place.backend,
                "run": runs[1].name,
            }
            for place, group in compared
            for each in explain(group)
        ],
        "claims": [],
        "examples": [],
        "problems": [
            {**asdict(place), "run": run.name, "replica": 0}
            | {"status": result.status.value, "reason": result.reason}
            for place in broken
            for run in runs
            for result in [run.originals[place]]
            if not result.comparable
        ],
        "notes": list(_notes(runs, pairs)),
    }
    if not pairs and not broken:
        document["problems"] = [_nothing_shared(runs)]
    return document


def _compared(
    place: Place, pair: Sequence[CellResult], runs: Sequence[StoredRun]
) -> list[Comparison]:
    """All comparisons of one cell with its counterpart, each run in the role of a backend."""
    groups = _families(_variant(place), runs)
    base, other = (
        dataclasses.replace(
            result,
            cell=dataclasses.replace(
                result.cell, backend=run.name, variant=f"{place.variant} on {place.backend}"
            ),
        )
        for result, run in zip(pair, runs, strict=True)
    )
    # Machines and devices may well be noisy to another degree, each by its own right.
    judgement = Judgement(vouching=None)
    return [*compare_digests(base, other), *compare_metrics(base, other, groups, judgement)]


def _families(variant: tuple[str, str], runs: Sequence[StoredRun]) -> list[list[CellResult]]:
    """A variant's families in both runs; a family lies within one run."""
    return [
        members
        for run in runs
        for members in families(
            each for each in run.results if each.comparable and _variant_of(each) == variant
        )
    ]


def _verdict(comparisons: Sequence[Comparison], broken: Sequence[Place]) -> str:
    if any(each.verdict is Agreement.DIFFERS for each in comparisons):
        return "differ"
    if broken or not comparisons:
        return "error"
    return "agree" if is_decided(comparisons) else "undecidable"


def _nothing_shared(runs: Sequence[StoredRun]) -> dict[str, Any]:
    held = [
        f"{run.name} holds {_listed(place.title for place in run.originals) or 'no cell'}"
        for run in runs
    ]
    return {
        **dict.fromkeys(("experiment", "variant", "backend", "pipeline"), ""),
        "status": "failed",
        "reason": "nothing can be compared: no experiment, variant, backend and pipeline is in both runs; "
        + ", ".join(held),
    }


def _run_entry(run: StoredRun) -> dict[str, Any]:
    held = run.document
    return {
        "name": run.name,
        "directory": str(run.directory),
        "verdict": held["verdict"],
        "project": held["project"],
        "created": held["created"],
        "command": held["command"],
        "environment": held["environment"],
    }


def _environment_differences(
    runs: Sequence[StoredRun], shared: Sequence[Place]
) -> list[dict[str, Any]]:
    """Settings that the two runs do not share, of the machines, the shared backends and the shared cells."""
    ours, theirs = (run.environment | _engines(run, shared) for run in runs)
    asked = {name for run in runs for name in run.document["environment"]["backends"]}
    unshared = asked - {place.backend for place in shared}
    return [
        {"setting": name, "first": ours.get(name), "second": theirs.get(name)}
        for name in dict.fromkeys([*ours, *theirs])
        if ours.get(name) != theirs.get(name) and name.split(" ")[0] not in unshared
    ]


def _engines(run: StoredRun, shared: Sequence[Place]) -> dict[str, str]:
    originals = run.originals
    return {
        f"{what} of {place.title}": getattr(originals[place].cell, what)
        for place in shared
        for what in ("engine", "device")
    }


def _experiments(runs: Sequence[StoredRun], shared: Sequence[Place]) -> dict[str, Any]:
    names = dict.fromkeys(place.experiment for place in shared)
    variants = {_variant(place) for place in shared}
    found = {}
    for name in names:
        held = next(
            (
                run.document["experiments"][name]
                for run in runs
                if name in run.document["experiments"]
            ),
            None,
        )
        if held is not None:
            own = [each for each in held["variants"] if (name, each["name"]) in variants]
            found[name] = {**held, "variants": own}
    return found


def _notes(
    runs: Sequence[StoredRun], pairs: Sequence[tuple[Place, CellResult, CellResult]]
) -> Iterable[str]:
    """Notes for the reader of the verdicts."""
    compared = dict.fromkeys(_variant(place) for place, *_ in pairs)
    bare = [variant for variant in compared if not _families(variant, runs)]
    if bare:
        named = _listed("/".join(variant) for variant in bare)
        experiments = " ".join(dict.fromkeys(experiment for experiment, _ in bare))
        yield (
            f"no noise floor for {named}: neither run holds replicas of it, so every difference is held "
            "against the rounding of one step alone, which training may outgrow; to measure one, repeat one "
            f"of the runs with: portable matrix {experiments} --replicas 3 --out DIR"
        )
    for run, other in (runs, runs[::-1]):
        alone = [place.title for place in run.originals if place not in other.originals]
        if alone:
            yield f"only in {run.name}, and not compared: {_listed(alone)}"


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - _MOST_NAMED
    return ", ".join(every[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _variant(place: Place) -> tuple[str, str]:
    return place.experiment, place.variant


def _variant_of(result: CellResult) -> tuple[str, str]:
    return result.cell.experiment, result.cell.variant


def _key(result: CellResult) -> tuple[str, str, str, str]:
    cell = result.cell
    return cell.experiment, cell.variant, cell.backend, cell.pipeline
