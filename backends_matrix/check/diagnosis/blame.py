"""From what happened and what the source says to whose failure it is, and where."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backends_matrix.check.diagnosis.exception_meanings import Meaning, first_line, meaning_of
from backends_matrix.check.diagnosis.source import read_suspicions
from backends_matrix.check.diagnosis.suspicion import Suspicion
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
        "weights-in-call",
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


FAMILIES = (
    frozenset({"foreign-op", "gradient-tape", "foreign-method", "numpy-op", "host-value"}),
    frozenset(
        {
            "host-value",
            "numpy-op",
            "tensor-branch",
            "tensor-loop",
            "dynamic-shape",
            "foreign-method",
        }
    ),
    frozenset(
        {"kept-tensor", "python-state", "weights-in-call", "metric-in-call", "unseeded-draw"}
    ),
    frozenset({"in-place", "in-place-operator"}),
)
"""Mistakes that raise each other's exceptions: what fails first depends on the backend."""

_CALLED = re.compile(r"calling (\w+)\.(\w+)\(\)")
"""Keras names the layer whose call failed, also where a framework has cut the traceback."""


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
        called: class of the layer or operation that was being called, or "".
    """

    kind: Kind
    cause: str
    hint: str = ""
    file: str = ""
    line: int | None = None
    rule: str = ""
    called: str = ""


def explain_failure(
    failure: dict[str, Any],
    suspicions: Sequence[Suspicion],
    stage: str,
    *,
    everywhere: bool,
) -> Explanation:
    """Explain an exception, and name what was being called.

    Args:
        failure: as a worker describes it.
        suspicions: what the source gives reason to suspect.
        stage: the kind of stage, a key of ``STAGE_RULES`` where it is one.
        everywhere: it was raised on every backend alike.
    """
    text = " ".join([failure.get("message", ""), *failure.get("causes", [])])
    called = [owner for owner, _ in _CALLED.findall(text)]
    why = _explained(failure, suspicions, stage, everywhere=everywhere)
    return replace(why, called=called[0] if called else "")


def _explained(
    failure: dict[str, Any], suspicions: Sequence[Suspicion], stage: str, *, everywhere: bool
) -> Explanation:
    meaning = meaning_of(failure)
    if meaning is not None and meaning.rule in _OF_FILES and not _is_of_file(failure, stage):
        meaning = None
    frames = failure.get("frames", [])
    said = f"{failure.get('type', 'Error')}: {first_line(failure.get('message', ''))}"
    found = _nearest(frames, suspicions, meaning) or _of_called(failure, suspicions, meaning)
    if found is None and meaning is not None and meaning.rule == "own-step":
        found = _of_rules(suspicions, ("gradient-tape", "own-step"))
    if found is None and not frames:
        found = _of_rules(suspicions, _rules_for(stage, meaning))
    if found is not None:
        return _of_suspicion(found, said)
    row = _of_named(failure, meaning, said) or _of_package(failure, meaning, said)
    if row is not None:
        return row
    if failure.get("type") == "MemoryError":
        return Explanation(
            Kind.HARNESS, failure.get("message", said), "give --memory, or make it smaller"
        )
    file, line = (frames[-1]["file"], frames[-1]["line"]) if frames else ("", None)
    if meaning is not None and meaning.rule:
        return Explanation(
            Kind.AUTHOR, f"{meaning.reason} ({said})", meaning.hint, file, line, meaning.rule
        )
    if meaning is not None and meaning.keras and (meaning.always or not everywhere):
        return Explanation(Kind.KERAS, f"{meaning.reason} ({said})", meaning.hint, file, line)
    own_raise = bool(frames) and failure.get("raised_in") == file
    kind = (
        Kind.AUTHOR
        if everywhere or own_raise or stage in ("import", "build", "inputs")
        else Kind.KERAS
    )
    return Explanation(kind, said, "", file, line)


def _of_named(failure: dict[str, Any], meaning: Meaning | None, said: str) -> Explanation | None:
    """The class that cannot be found by its name, or whose weights are not there, is at fault."""
    rule = meaning.rule if meaning is not None else ""
    of_model = rule == "weights-in-call" and not failure.get("frames")
    named = failure.get("model" if of_model else "named")
    if meaning is None or named is None or not named["line"] or rule not in _OF_CLASSES:
        return None
    if of_model and not named["package"]:
        # A model of the user's may hold a layer of somebody else's that makes its weights too late.
        return None
    whose = f"the package {named['package']}: " if named["package"] else ""
    what = "is not registered, so another process cannot load it"
    if of_model:
        what = f"is not whole when it is made again: {meaning.reason}"
    reason = f"{whose}{named['class']} {what} ({said})"
    return Explanation(Kind.AUTHOR, reason, meaning.hint, named["file"], named["line"], rule)


def _of_package(failure: dict[str, Any], meaning: Meaning | None, said: str) -> Explanation | None:
    """An exception in the code of a package that the model is made with: its line, and what is wrong there.

    Exceptions that speak of the backend are not taken for the package's, and what the user's own code calls
    in a package is the user's.
    """
    frame = failure.get("package_frame")
    if (
        frame is None
        or failure.get("frames")
        or failure.get("type") == "MemoryError"
        or (meaning and meaning.keras)
    ):
        return None
    found = _nearest([frame], read_suspicions([frame["file"]]), meaning)
    where = f"the package {frame['package']}"
    if found is not None:
        return replace(_of_suspicion(found, said), cause=f"{where}: {found.reason} ({said})")
    if meaning is not None and meaning.rule:
        return Explanation(
            Kind.AUTHOR, f"{where}: {meaning.reason} ({said})", meaning.hint,
            frame["file"], frame["line"], meaning.rule,
        )  # fmt: skip
    return Explanation(Kind.AUTHOR, f"{where}: {said}", "", frame["file"], frame["line"])


def explain_difference(stage: str, suspicions: Sequence[Suspicion]) -> Suspicion | None:
    """The likeliest mistake behind a difference, without an exception."""
    return _of_rules(suspicions, STAGE_RULES.get(stage, ()))


_OF_CLASSES = frozenset({"unregistered", "weights-in-call"})
_OF_FILES = frozenset({"config", "unregistered", "lambda"})


def _is_of_file(failure: dict[str, Any], stage: str) -> bool:
    """Whether something was being written or read: a wrong call of a constructor says the same elsewhere."""
    text = " ".join([failure.get("message", ""), *failure.get("causes", [])])
    return stage in ("save", "read", "config") or "deserializ" in text or ".keras" in text


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
        if akin := [each for each in function if _is_akin(each, meaning)]:
            return akin[0]
    return None


def _of_called(
    failure: dict[str, Any], suspicions: Sequence[Suspicion], meaning: Meaning | None
) -> Suspicion | None:
    """A suspicion in the innermost call that Keras names in its message."""
    text = " ".join([failure.get("message", ""), *failure.get("causes", [])])
    for owner, method in _CALLED.findall(text):
        here = [each for each in suspicions if each.where == f"{owner}.{method}"]
        akin = [each for each in here if _is_akin(each, meaning)]
        if here:
            return (akin or here)[0]
    return None


def _is_akin(suspicion: Suspicion, meaning: Meaning | None) -> bool:
    """Whether an exception of this meaning may come from that mistake."""
    if meaning is None:
        return False
    if suspicion.rule == meaning.rule:
        return True
    return any({suspicion.rule, meaning.rule} <= family for family in FAMILIES)


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
