"""Shrink what fails while it still fails, and write it down."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from backends_matrix.check.fork_server_client import ChildError, ForkServerError
from backends_matrix.check.members import Findings, Member
from backends_matrix.check.pool import Pool
from backends_matrix.check.reduce.script import MOST_LINES, Case, write_script
from backends_matrix.check.result import Check, Kind, Status

RELATIVE = 1e-4
"""What counts as a difference in a script: some hundred times the rounding errors of one layer's few
operations, so that no script shows rounding."""

TRIES = 24
"""Smaller cases that are tried for one failure."""


@dataclass(frozen=True)
class Reduced:
    """A script that shows a failure.

    Args:
        path: of the script; its description lies beside it, as Markdown.
        layer: the layer that it shows.
        difference: relative, between the two backends that are farthest apart.
        backends: those that were compared.
    """

    path: Path
    layer: str
    difference: float
    backends: tuple[str, ...]


def reduce_failures(
    checks: Sequence[Check],
    findings: Mapping[Member, Findings],
    pool: Pool,
    folder: Path,
    stem: str,
    timeout: float,
) -> list[Reduced]:
    """Write a script for every layer with a difference of Keras's own.

    Args:
        checks: of the target.
        findings: of its members; their processes may have ended.
        pool: with warm backends.
        folder: gets the scripts.
        stem: begins their names.
        timeout: seconds that one script may take on one backend.
    """
    calls = _calls(findings)
    optimizer = _optimizer(findings)
    found: list[Reduced] = []
    done: set[str] = set()
    for check in checks:
        if check.status is not Status.FAIL or check.kind is not Kind.KERAS or check.layer in done:
            continue
        done.add(check.layer)
        for call in _candidates(check, calls):
            case = _case(check, call, optimizer if "step of" in check.cause else "", pool.backends)
            reduced = _shrink(case, pool, folder, timeout)
            if reduced is not None:
                small, difference = reduced
                found.append(_write(small, difference, check, folder, stem, len(found)))
                break
    return found


def _calls(findings: Mapping[Member, Findings]) -> list[dict[str, Any]]:
    for member, found in findings.items():
        for name in ("training", "inference"):
            stage = found.stage("record", name)
            if member.double and stage.ok:
                shapes = stage.group("in")
                return [
                    call | {"inputs": _inputs(call["key"], shapes)} for call in stage.data["calls"]
                ]
    return []


def _inputs(key: str, arrays: Mapping[str, Any]) -> list[tuple[tuple[int, ...], str]]:
    found: list[tuple[tuple[int, ...], str]] = []
    while (name := f"{key}/{len(found)}") in arrays:
        array = arrays[name]
        dtype = "float32" if array.dtype.kind == "f" else str(array.dtype)
        found.append((tuple(array.shape[1:]), dtype))
    return found


def _optimizer(findings: Mapping[Member, Findings]) -> str:
    for found in findings.values():
        name = found.stage("build", "build").data.get("optimizer")
        if name:
            return f"keras.optimizers.{name}(0.05)"
    return "keras.optimizers.SGD(0.05)"


def _candidates(check: Check, calls: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The layer itself; where none is known, every layer and operation in turn."""
    able = [call for call in calls if call.get("source") and call["inputs"]]
    mine = [call for call in able if call["path"] == check.layer]
    return mine or ([] if check.layer else able)


def _case(check: Check, call: dict[str, Any], optimizer: str, backends: Sequence[str]) -> Case:
    shapes, dtypes = zip(*call["inputs"], strict=True)
    return Case(
        f"{call['class']}: {check.name} differ between backends.",
        call["source"],
        shapes,
        dtypes,
        optimizer=optimizer or "keras.optimizers.SGD(1.0)",
        takes=call.get("takes", "tensor"),
        backends=tuple(backends),
    )


def _shrink(case: Case, pool: Pool, folder: Path, timeout: float) -> tuple[Case, float] | None:
    folder.mkdir(parents=True, exist_ok=True)
    best: tuple[Case, float] | None = None
    for values in ("normal", "zeros"):
        difference = _difference(replace(case, values=values), pool, folder, timeout)
        if difference > RELATIVE:
            best = replace(case, values=values), difference
            break
    if best is None:
        return None
    tries = 0
    progress = True
    while progress and tries < TRIES:
        progress = False
        for smaller in best[0].smaller():
            tries += 1
            difference = _difference(smaller, pool, folder, timeout)
            if difference > RELATIVE:
                best, progress = (smaller, difference), True
                break
            if tries >= TRIES:
                break
    return best


def _difference(case: Case, pool: Pool, folder: Path, timeout: float) -> float:
    """The largest relative difference of any result between two backends; 0 where one does not run."""
    script = folder / "trying.py"
    script.write_text(write_script(case), encoding="utf-8")
    results: list[list[list[float]]] = []
    try:
        for backend in case.backends:
            found = _run(script, backend, pool, folder, timeout)
            if found is None:
                return 0.0
            results.append(found)
    finally:
        script.unlink(missing_ok=True)
    return _farthest(results)


def _farthest(results: Sequence[list[list[float]]]) -> float:
    largest = 0.0
    for first in results:
        for second in results:
            for values, others in zip(first, second, strict=True):
                one, other = np.array(values, float), np.array(others, float)
                if one.shape != other.shape or not np.array_equal(np.isnan(one), np.isnan(other)):
                    return float("inf")
                scale = float(np.nanmax(np.abs(one), initial=0.0)) or 1.0
                between = float(np.nanmax(np.abs(one - other), initial=0.0))
                largest = max(largest, between / scale)
    return largest


def _run(
    script: Path, backend: str, pool: Pool, folder: Path, timeout: float
) -> list[list[float]] | None:
    log = folder / f"trying-{backend}.log"
    log.unlink(missing_ok=True)
    try:
        pool.run_script(backend, script, log, timeout)
        text = log.read_text(encoding="utf-8", errors="replace")
    except (ChildError, ForkServerError, OSError):
        return None
    found = re.search(r"RESULT(\[.*\])", text)
    log.unlink(missing_ok=True)
    result: list[list[float]] | None = json.loads(found[1]) if found else None
    return result


def _write(
    case: Case, difference: float, check: Check, folder: Path, stem: str, number: int
) -> Reduced:
    name = re.sub(r"\W+", "_", f"{stem}_{check.layer.rpartition('/')[2] or number}")
    path = folder / f"{name}.py"
    text = write_script(case)
    if text.count("\n") >= MOST_LINES:
        raise ValueError(f"the script has {text.count(chr(10))} lines; expected under {MOST_LINES}")
    path.write_text(text, encoding="utf-8")
    path.with_suffix(".md").write_text(
        f"# {case.title}\n\n"
        f"`{case.source}` gives different results on {', '.join(case.backends)}: the largest "
        f"relative difference is "
        f"{difference:.2g}, where rounding accounts for about 1e-6.\n\n"
        f"What was found in the whole model: {check.cause}.\n\n"
        f"## To reproduce\n\n    python {path.name}\n\nIt needs Keras, NumPy and the backends; it "
        f"starts a process "
        f"for each backend and prints what the layer puts out and its weights after one step of training.\n",
        encoding="utf-8",
    )
    return Reduced(path, check.layer, difference, tuple(case.backends))
