"""Shrink what fails while it still fails, and write it down."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from backends_matrix.check.members import Findings, Member
from backends_matrix.check.pool import Pool
from backends_matrix.check.reduce.case import MOST_VALUES, Case, Shown
from backends_matrix.check.reduce.description import describe
from backends_matrix.check.reduce.recorded_graph import (
    Recording,
    recordings,
    upstream,
    without_noise,
)
from backends_matrix.check.reduce.script import MOST_LINES, write_script
from backends_matrix.check.reduce.trial import Failure, try_case
from backends_matrix.check.result import Check, Kind, Reduced, Status

TRIES = 60
"""Smaller cases that are tried for one failure."""

LONGEST = 60.0
"""Seconds that the search for one failure may take; what it has by then is what it gives."""

_FORWARD = ("outputs", "outputs of other sizes", "evaluate", "predict", "compiled")
_FILES = {
    "read file": Shown.FILE,
    "resume training": Shown.RESUMED,
    "read weights": Shown.WEIGHTS_FILE,
}


def reduce_failures(
    checks: Sequence[Check],
    findings: Mapping[Member, Findings],
    pool: Pool,
    folder: Path,
    stem: str,
    timeout: float,
) -> list[Reduced]:
    """Write a script for every difference of Keras's own.

    Args:
        checks: of the target.
        findings: of its members; their processes may have ended.
        pool: with warm backends.
        folder: gets the scripts.
        stem: begins their names.
        timeout: seconds that one script may take on one backend.
    """
    recording = recordings(findings)
    optimizer = _optimizer(findings)
    found: list[Reduced] = []
    done: set[tuple[str, str]] = set()
    for check in checks:
        part = _part(check)
        if check.status is not Status.FAIL or check.kind is not Kind.KERAS:
            continue
        if (check.layer, part) in done:
            continue
        done.add((check.layer, part))
        if recording is None:
            reason = "no judge could record the model's calls"
            found.append(Reduced(check.name, check.backend, check.layer, "", reason))
            continue
        step = optimizer if "step of" in check.cause else ""
        search = _Search(check, part, pool, timeout)
        best = search.find(_cases(check, recording, pool.backends, step))
        found.append(_written(check, best, folder, stem, len(found)))
        if best is not None and part == "weights":
            # Wrong outputs have wrong gradients; one script shows both.
            done |= {(check.layer, "outputs")}
        if best is not None and part == "outputs":
            done |= {(check.layer, "weights")}
    return found


def _part(check: Check) -> str:
    """What of a script's results must differ."""
    if check.name in _FILES:
        return check.name
    if check.name in ("state", "state after fit"):
        return "state"
    return "outputs" if check.name in _FORWARD or "the outputs of" in check.cause else "weights"


def _optimizer(findings: Mapping[Member, Findings]) -> str:
    for found in findings.values():
        name = found.stage("build", "build").data.get("optimizer")
        if name:
            return f"keras.optimizers.{name}(0.05)"
    return "keras.optimizers.SGD(0.05)"


def _cases(
    check: Check, recording: Recording, backends: Sequence[str], optimizer: str
) -> Iterator[Case]:
    """The layer by itself; the user's own layers around it; the graph up to it; the whole graph."""
    title = f"{check.name} differ between backends"
    mine = recording.named(check.layer)
    plans = [[call] for call in mine]
    plans += [[outer] for call in mine[:1] for outer in recording.around(call)]
    for level in (recording.leaves(), recording.outermost()):
        plain = without_noise(level)
        plans.append(upstream(plain, check.layer))
        if check.layer:
            plans.append(upstream(plain, ""))
    if not mine and not check.layer:
        plans += [[call] for call in recording.leaves()]
    shown = _FILES.get(check.name, Shown.STEP)
    tried: set[str] = set()
    for plan in plans:
        case = recording.graph(plan, title, backends)
        if case is None or (key := repr((case.nodes, case.definitions))) in tried:
            continue
        tried.add(key)
        case = replace(case, shown=shown)
        if optimizer:
            case = replace(case, optimizer=optimizer)
        if case.definitions or shown is not Shown.STEP:
            yield replace(case, functional=True)
        if shown is Shown.STEP:
            yield case


class _Search:
    """Finds a case that shows a failure, and shrinks it."""

    def __init__(self, check: Check, part: str, pool: Pool, timeout: float) -> None:
        self._check, self._pool, self._timeout = check, pool, timeout
        self._part = "outputs" if part in _FILES else part
        if part == "resume training":
            self._part = "weights"
        self._tries = 0
        self._until = time.monotonic() + LONGEST

    @property
    def _late(self) -> bool:
        return self._tries >= TRIES or time.monotonic() > self._until

    def find(self, cases: Iterator[Case]) -> tuple[Case, Failure] | None:
        """The smallest case found that fits into a script; None where none shows the failure."""
        for case in cases:
            # Zeros and ones last: a corner at 0 or 1 may differ where the model never goes.
            for values in ("normal", "recorded", "zeros", "ones"):
                if time.monotonic() > self._until:
                    return None
                start = replace(case, values=values)
                failure = self._of_check(self._try(start))
                if failure is not None:
                    small = self._shrink(start, failure)
                    if small is not None:
                        return small
        return None

    def _try(self, case: Case) -> list[Failure]:
        return try_case(case, self._pool, self._timeout)

    def _of_check(self, failures: Sequence[Failure]) -> Failure | None:
        mine = [each for each in failures if each.involves(self._check.backend)]
        return next((each for each in mine if each.part == self._part), None)

    def _shrink(self, case: Case, failure: Failure) -> tuple[Case, Failure] | None:
        self._tries = 0
        progress = True
        while progress and not self._late:
            progress = False
            for smaller in case.smaller():
                if self._late:
                    break
                self._tries += 1
                same = [each for each in self._try(smaller) if each.is_like(failure)]
                if same:
                    case, failure, progress = smaller, same[0], True
                    break
        again = [each for each in self._try(case) if each.is_like(failure)]
        if not again:
            # What does not repeat shows nothing.
            return None
        fits = len(write_script(case).splitlines()) < MOST_LINES
        short = case.values != "recorded" or case.size <= MOST_VALUES
        return (case, failure) if fits and short else None


def _written(
    check: Check, best: tuple[Case, Failure] | None, folder: Path, stem: str, number: int
) -> Reduced:
    if best is None:
        reason = (
            f"no script of under {MOST_LINES} lines shows it: neither the layer by itself nor the "
            f"graph that it lies in differs without the model's own code around it"
        )
        return Reduced(check.name, check.backend, check.layer, "", reason)
    case, failure = best
    kinds = ", ".join(dict.fromkeys(node.kind for node in case.nodes))
    case = replace(case, title=f"{kinds}: {_WHAT[failure.part]} differ between backends.")
    layer = check.layer.rpartition("/")[2] or kinds.split(", ")[0]
    name = re.sub(r"\W+", "_", f"{stem}_{layer}_{_WHAT[failure.part]}").lower()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    if path.exists():
        path = folder / f"{name}_{number}.py"
    path.write_text(write_script(case), encoding="utf-8")
    path.with_suffix(".md").write_text(describe(case, failure, check, path.name), encoding="utf-8")
    return Reduced(check.name, check.backend, check.layer, str(path), case.title)


_WHAT = {"outputs": "outputs", "weights": "weights after a step", "state": "state after a step"}
