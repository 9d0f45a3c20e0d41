"""From what happened and what the source says to whose failure it is, and where."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from backends_matrix.check.diagnosis.messages import Meaning, first_line, meaning_of
from backends_matrix.check.diagnosis.source import Suspicion
from backends_matrix.check.result import Kind

STAGE_RULES: dict[str, tuple[str, ...]] = {
    "save": ("unregistered", "lambda", "config", "weights-in-call"),
    "read": ("config", "unregistered", "lambda", "weights-in-call", "kept-tensor"),
    "config": ("config", "lambda", "unregistered", "weights-in-call"),
    "repeat": (
        "host-randomness",
        "python-state",
        "in-place-operator",
        "in-place",
        "kept-tensor",
        "unseeded-draw",
    ),
    "randomness": (
        "host-randomness",
        "unseeded-draw",
        "python-state",
        "foreign-op",
        "in-place-operator",
    ),
    "compiled": (
        "host-randomness",
        "python-state",
        "kept-tensor",
        "tensor-branch",
        "unseeded-draw",
    ),
    "types": ("wide-type", "foreign-op", "numpy-op", "backend-branch"),
    "weights": (
        "host-randomness",
        "weights-in-call",
        "foreign-op",
        "numpy-op",
        "backend-branch",
        "wide-type",
    ),
    "leaks": ("kept-tensor", "python-state"),
    "numbers": (
        "host-randomness",
        "in-place-operator",
        "backend-branch",
        "python-state",
        "foreign-op",
    ),
}
"""What a failure of a kind of stage may come from, the likeliest first."""


@dataclass(frozen=True)
class Explanation:
    """Whose a failure is, and why.

    Args:
        kind: author, keras or harness.
        cause: one sentence.
        hint: the portable way.
        file: source file, or "".
        line: its line, or None.
        rule: the kind of mistake, or "".
    """

    kind: Kind
    cause: str
    hint: str = ""
    file: str = ""
    line: int | None = None
    rule: str = ""


def explain_failure(
    failure: dict[str, Any],
    suspicions: Sequence[Suspicion],
    stage: str,
    *,
    everywhere: bool,
) -> Explanation:
    """Explain an exception.

    Args:
        failure: as a worker describes it.
        suspicions: what the source gives reason to suspect.
        stage: the kind of stage, a key of ``STAGE_RULES`` where it is one.
        everywhere: it was raised on every backend alike.
    """
    meaning = meaning_of(failure)
    frames = failure.get("frames", [])
    said = f"{failure.get('type', 'Error')}: {first_line(failure.get('message', ''))}"
    found = _nearest(frames, suspicions, meaning)
    if found is None and not frames:
        found = _of_rules(suspicions, _rules_for(stage, meaning))
    if found is not None:
        return _of_suspicion(found, said)
    if failure.get("type") == "MemoryError":
        return Explanation(
            Kind.HARNESS, failure.get("message", said), "give --memory, or make it smaller"
        )
    file, line = (frames[-1]["file"], frames[-1]["line"]) if frames else ("", None)
    if meaning is not None and meaning.rule:
        return Explanation(
            Kind.AUTHOR, f"{meaning.reason} ({said})", meaning.hint, file, line, meaning.rule
        )
    if meaning is not None and meaning.keras and not everywhere:
        return Explanation(Kind.KERAS, f"{meaning.reason} ({said})", meaning.hint, file, line)
    kind = Kind.AUTHOR if everywhere or stage in ("import", "build", "inputs") else Kind.KERAS
    return Explanation(kind, said, "", file, line)


def explain_difference(stage: str, suspicions: Sequence[Suspicion]) -> Suspicion | None:
    """The likeliest mistake behind a difference, without an exception."""
    return _of_rules(suspicions, STAGE_RULES.get(stage, ()))


def _rules_for(stage: str, meaning: Meaning | None) -> tuple[str, ...]:
    rules = STAGE_RULES.get(stage, ())
    if meaning is None or not meaning.rule:
        return rules
    return (meaning.rule, *(rule for rule in rules if rule != meaning.rule))


def _nearest(
    frames: Sequence[dict[str, Any]], suspicions: Sequence[Suspicion], meaning: Meaning | None
) -> Suspicion | None:
    """The suspicion at the innermost frame that has one: on its line, else in its function."""
    for frame in reversed(frames):
        here = [each for each in suspicions if each.file == frame["file"]]
        on_line = [each for each in here if each.line <= frame["line"] <= each.last and each.where]
        if on_line:
            return _preferred(on_line, meaning)
    for frame in reversed(frames):
        function = [
            each
            for each in suspicions
            if each.file == frame["file"] and each.where.rpartition(".")[2] == frame["function"]
        ]
        if meaning is not None:
            function = [each for each in function if each.rule == meaning.rule]
            if function:
                return function[0]
    return None


def _preferred(found: Sequence[Suspicion], meaning: Meaning | None) -> Suspicion:
    same = [each for each in found if meaning is not None and each.rule == meaning.rule]
    return (same or list(found))[0]


def _of_rules(suspicions: Sequence[Suspicion], rules: Collection[str]) -> Suspicion | None:
    for rule in rules:
        for each in suspicions:
            if each.rule == rule:
                return each
    return None


def _of_suspicion(found: Suspicion, said: str) -> Explanation:
    cause = found.reason if not said else f"{found.reason} ({said})"
    return Explanation(Kind.AUTHOR, cause, found.hint, found.file, found.line, found.rule)
