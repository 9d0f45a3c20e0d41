"""Run a script on every backend, and say what differs."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from backends_matrix.check.fork_server_client import ChildError, ForkServerError
from backends_matrix.check.members import Member
from backends_matrix.check.pool import Pool
from backends_matrix.check.reduce.case import Case, Shown
from backends_matrix.check.reduce.script import write_script

RELATIVE = 1e-4
"""What counts as a difference in a script: some hundred times the rounding errors of one layer's few
operations, so that no script shows rounding."""

Parts = dict[str, list[list[float]]]


@dataclass(frozen=True)
class Failure:
    """What a script shows.

    Args:
        part: outputs, weights or state; or ``raises NAME``.
        pairs: labels of runs that differ from each other; of those that raise, alone.
        difference: relative, the largest.
    """

    part: str
    pairs: frozenset[tuple[str, ...]]
    difference: float

    def is_like(self, other: Failure) -> bool:
        """Whether both are the same failure, whatever its size."""
        mine, theirs = math.isinf(self.difference), math.isinf(other.difference)
        return (self.part, self.pairs, mine) == (other.part, other.pairs, theirs)

    def involves(self, label: str) -> bool:
        """Whether a run takes part in it."""
        return any(label in pair for pair in self.pairs)


@dataclass(frozen=True)
class Outcome:
    """What the runs of a script gave.

    Args:
        printed: by label of the run, what it printed, or the name of its exception ("" where it ended
            without one).
        failures: what differs; nothing where the script runs nowhere.
    """

    printed: Mapping[str, Parts | str]
    failures: Sequence[Failure]


def try_case(case: Case, pool: Pool, timeout: float, only: Sequence[str] = ()) -> Outcome:
    """Run the script of a case, and compare.

    Args:
        case: what to run.
        pool: with warm backends.
        timeout: seconds for each run.
        only: ``WRITER>READER``: a file is written and read by these pairs alone; none for all.
    """
    found = _run_all(case, pool, timeout, only)
    # In one order, whichever run ended first.
    ran = {label: parts for label in sorted(found) if isinstance(parts := found[label], dict)}
    if not ran:
        return Outcome(found, [])
    failures = _raised(found)
    for part in next(iter(ran.values())):
        # Each backend draws its own numbers in training.
        if case.draws and (part != "outputs" or case.training):
            continue
        pairs: dict[tuple[str, ...], float] = {}
        for one, other in _compared(case, list(ran)):
            far = _distance(ran[one].get(part, []), ran[other].get(part, []))
            if far > RELATIVE:
                pairs[one, other] = far
        if pairs:
            failures.append(Failure(part, frozenset(pairs), max(pairs.values())))
    return Outcome(found, failures)


def _compared(case: Case, labels: list[str]) -> list[tuple[str, str]]:
    """Backends with each other; a model that was read with the one that was written."""
    if case.shown in (Shown.FORWARD, Shown.STEP):
        return [(a, b) for place, a in enumerate(labels) for b in labels[place + 1 :]]
    written = [(label.partition(">")[0], label) for label in labels if ">" in label]
    return [pair for pair in written if pair[0] in labels]


def _raised(found: Mapping[str, Parts | str]) -> list[Failure]:
    raised = {label: said for label, said in found.items() if isinstance(said, str)}
    names = sorted(set(raised.values()))
    return [
        Failure(
            f"raises {name}",
            frozenset((label,) for label, said in raised.items() if said == name),
            float("inf"),
        )
        for name in names
        if name
    ]


def _distance(first: list[list[float]], second: list[list[float]]) -> float:
    """The largest difference, relative to the largest number of the part.

    An array of its own scale will not do: a bias whose gradient is zero in exact arithmetic holds nothing but
    rounding after a step.
    """
    if [len(each) for each in first] != [len(each) for each in second]:
        return float("inf")
    largest = scale = 0.0
    for values, others in zip(first, second, strict=True):
        one, other = np.array(values, float), np.array(others, float)
        finite = np.isfinite(one) & np.isfinite(other)
        if not np.array_equal(one[~finite], other[~finite], equal_nan=True):
            return float("inf")
        scale = max(scale, float(np.abs(one[finite]).max(initial=0.0)))
        largest = max(largest, float(np.abs(one - other)[finite].max(initial=0.0)))
    return largest / (scale or 1.0)


def _run_all(case: Case, pool: Pool, timeout: float, only: Sequence[str]) -> dict[str, Parts | str]:
    found: dict[str, Parts | str] = {}
    labels = only or [f"{writer}>{reader}" for writer in case.backends for reader in case.backends]
    pairs = [label.split(">") for label in labels]
    writers = dict.fromkeys(writer for writer, _ in pairs)
    with tempfile.TemporaryDirectory(prefix="portable-reduce-") as name:
        script = Path(name) / "script.py"
        script.write_text(write_script(case), encoding="utf-8")

        def run(backend: str, label: str, arguments: tuple[str, ...]) -> None:
            found[label] = _run(script, backend, label, arguments, pool, timeout)

        work: dict[Member, Callable[[], None]] = {}
        if case.shown in (Shown.FORWARD, Shown.STEP):
            work = {Member(each): partial(run, each, each, (each,)) for each in case.backends}
            pool.side_by_side(work)
            return found
        # Paths of files are relative: those of a script that a person runs lie beside it.
        work = {Member(each): partial(run, each, each, (each, "write")) for each in writers}
        pool.side_by_side(work)
        for writer in writers:
            if isinstance(found[writer], dict):
                reading = {
                    Member(each): partial(run, each, f"{writer}>{each}", (writer, "read"))
                    for of, each in pairs
                    if of == writer
                }
                pool.side_by_side(reading)
    return found


def _run(
    script: Path, backend: str, label: str, arguments: tuple[str, ...], pool: Pool, timeout: float
) -> Parts | str:
    log = script.with_name(f"{label.replace('>', '-')}.log")
    try:
        pool.run_script(backend, script, arguments, log, timeout)
        text = log.read_text(encoding="utf-8", errors="replace")
    except (ChildError, ForkServerError, OSError):
        return ""
    printed = re.search(r"RESULT(\{.*\})", text)
    if printed:
        parts: Parts = json.loads(printed[1])
        return parts
    names = re.findall(r"^(?:\w+\.)*(\w+(?:Error|Exception|Warning|Interrupt|Exit))\b", text, re.M)
    return str(names[-1]) if names else ""
