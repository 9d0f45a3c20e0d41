"""Rows for files that were written on one backend and read on another."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from backends_matrix.check.blamed_rows import blamed
from backends_matrix.check.compared_quantities import epsilon_of
from backends_matrix.check.diagnosis import Suspicion
from backends_matrix.check.equality import is_random
from backends_matrix.check.members import Array, Findings, Member
from backends_matrix.check.result import Check, Kind, Status
from backends_matrix.check.rows import Step, half_penalty, row_of
from backends_matrix.check.tolerance import Distance, compare


def crossing_rows(
    findings: Mapping[Member, Findings],
    suspicions: Sequence[Suspicion],
    differing: Collection[str],
    trained_apart: Collection[str],
    failing: Mapping[str, tuple[str, str]],
) -> Iterator[Check]:
    """Every pair of backends: outputs after reading, training that goes on, and weights files.

    Args:
        findings: of all members.
        suspicions: what the source gives reason to suspect.
        differing: backends whose outputs differ whatever file they come from.
        trained_apart: backends whose training does.
        failing: by backend, path and class of a layer whose gradient fails by itself.
    """
    backends = {member.name: found for member, found in findings.items() if not member.double}
    moves = [found.stage("numbers", "forward").group("move") for found in backends.values()]
    spans = {
        name: array
        for found in backends.values()
        for name, array in found.stage("numbers", "fit").group("span").items()
    }
    fits = [found.stage("numbers", "fit").group("move.weights") for found in backends.values()]
    epsilon = epsilon_of(findings)
    for reader, mine in backends.items():
        for writer, other in backends.items():
            pair = f"{writer}>{reader}"
            for check, stage, of, group, known in (
                ("read file", f"read {writer}", "save", "outputs", moves),
                ("resume training", f"resume {writer}", "resume", "weights", fits),
                ("read weights", f"read weights {writer}", "save", "outputs", moves),
            ):
                read = mine.stage("files", stage)
                if read.status == "absent":
                    continue
                if not read.ok and not mine.stage("build", "forward").ok:
                    cause = f"the model does not run on {reader}, whatever file it comes from"
                    yield Check(check, pair, Status.SKIP, cause=cause)
                    continue
                if not read.ok:
                    step = Step(check, "files", stage, "read")
                    place = failing.get(reader) if check == "resume training" else None
                    yield row_of(
                        step, pair, read, suspicions, everywhere=False,
                        failing=place or half_penalty(mine),
                    )  # fmt: skip
                    continue
                written = other.stage("numbers", of)
                if not written.ok or is_random(mine) or is_random(other):
                    continue
                apart = trained_apart if check == "resume training" else differing
                if reader != writer and {reader, writer} & set(apart):
                    cause = "cannot be compared: the two backends differ without any file"
                    yield Check(check, pair, Status.SKIP, cause=cause)
                    continue
                steps = spans if check == "resume training" else {}
                worst = _worst(read.group(group), written.group(group), known, epsilon, steps)
                late = mine.stage("files", f"read {writer}").data.get("late")
                late = None if check == "read weights" else late
                yield _row(check, pair, worst, suspicions, read.seconds, late)


def _worst(
    mine: Mapping[str, Array],
    exact: Mapping[str, Array],
    moves: Sequence[Mapping[str, Array]],
    epsilon: float,
    spans: Mapping[str, Array],
) -> Distance:
    # Both sides round, so twice as far.
    largest = {
        name: max((each[name] for each in moves if name in each), default=0.0) for name in exact
    }
    doubled = [{name: 2 * value for name, value in largest.items()}]
    distances = compare(mine, exact, doubled, epsilon=2 * epsilon, spans=spans)  # type: ignore[arg-type]
    return max(distances, key=lambda each: each.ratio, default=Distance("", 0.0, 0.0))


def _row(
    check: str,
    pair: str,
    worst: Distance,
    suspicions: Sequence[Suspicion],
    seconds: float | None,
    late: Mapping[str, Any] | None,
) -> Check:
    if worst.agrees:
        return Check(
            check, pair, Status.PASS, cause=worst.note, difference=worst.difference,
            tolerance=worst.tolerance, seconds=seconds,
        )  # fmt: skip
    cause = {
        "read file": "a model read from the file gives other outputs than the one that was written",
        "resume training": "training that goes on from the file gives other weights",
        "read weights": "a model with the weights of the file gives other outputs",
    }[check]
    row = blamed(
        check, pair, "read", suspicions, cause,
        difference=worst.difference, tolerance=worst.tolerance,
    )  # fmt: skip
    return row if late is None or row.kind is Kind.AUTHOR else blame_late_weights(row, late)


def blame_late_weights(row: Check, late: Mapping[str, Any]) -> Check:
    """The class makes weights in the first call of a model, when the file has been read already.

    Args:
        row: the failure, which nothing in the user's own source explains.
        late: what ``worker/late_weights.py`` found.
    """
    whose = f"the package {late['package']}: " if late["package"] else ""
    return replace(
        row,
        kind=Kind.AUTHOR,
        cause=f"{whose}{row.cause}: {late['class']} has made {late['count']} of its weights only in the "
        f"first call after reading, so that the file's values for them were lost",
        layer=late["layer"],
        file=late["file"],
        line=late["line"] or None,
        hint="make layers in __init__, and let build() build each of them",
    )
