"""The first layer or operation that differs by itself, when every one is given the judge's own inputs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backends_matrix.check.members import Array, Findings
from backends_matrix.check.tolerance import (
    EPSILON,
    GROUP_UNITS,
    MOVEMENT,
    UNITS,
    Distance,
    distance,
    largest_magnitude,
)


@dataclass(frozen=True)
class Culprit:
    """A layer or operation whose own error is too large.

    Args:
        layer: its path.
        name: its class, or the function's name.
        what: outputs, gradients, or input where it changes that in place.
        own: it is the user's own class, or an operation in the user's code.
        file: where the user's code calls it, if it does.
        line: the line.
        error: its own error and what was allowed.
        activation: name of the layer's activation, or "".
    """

    layer: str
    name: str
    what: str
    own: bool
    file: str
    line: int | None
    error: Distance
    activation: str = ""


@dataclass(frozen=True)
class Part:
    """One call's own error, for the report."""

    layer: str
    name: str
    difference: float
    tolerance: float


def errors(judge: Findings, mine: Findings, training: bool) -> tuple[list[Culprit], list[Part]]:
    """All culprits on one backend, in the order of the model, and every part's own error.

    Args:
        judge: with a phase ``record``.
        mine: with a phase ``replay``.
        training: gradients are compared too.
    """
    name = "training" if training else "inference"
    recorded, replayed = judge.stage("record", name), mine.stage("replay", name)
    if not recorded.ok or not replayed.ok:
        return [], []
    exact, own = recorded.group("out"), replayed.group("out")
    moves = replayed.group("move")
    pulls, pulled, pull_moves = (
        recorded.group("pull"),
        replayed.group("pull"),
        replayed.group("pullmove"),
    )
    culprits: list[Culprit] = []
    parts: list[Part] = []
    calls = sorted(replayed.data.get("calls", []), key=lambda call: int(call["number"]))
    for call in calls:
        changed = replayed.data.get("changed", {}).get(call["key"])
        if changed is not None:
            culprits.append(_culprit(call, "input", Distance(call["key"], changed, 0.0)))
        forward = _worst(call["key"], exact, own, moves)
        if forward is not None:
            parts.append(Part(call["path"], call["class"], forward.difference, forward.tolerance))
            if not forward.agrees:
                culprits.append(_culprit(call, "outputs", forward))
                continue
        backward = _worst(call["key"], pulls, pulled, pull_moves) if training else None
        if backward is not None and not backward.agrees:
            culprits.append(_culprit(call, "gradients", backward))
    return _innermost(culprits, calls), parts


def first_failing(mine: Findings) -> tuple[str, str] | None:
    """Path and class of the innermost first call whose gradient cannot be computed; None where all can.

    Args:
        mine: with a phase ``replay`` in training.
    """
    data = mine.stage("replay", "training").data
    failures = data.get("failures", {})
    calls = [call for call in data.get("calls", []) if call["key"] in failures]
    parents = {call["parent"] for call in calls}
    calls = [call for call in calls if call["number"] not in parents]
    first = min(calls, key=lambda call: int(call["number"]), default=None)
    return (first["path"], first["class"]) if first else None


def _culprit(call: Mapping[str, Any], what: str, error: Distance) -> Culprit:
    own = call["kind"] == "op" or not str(call["module"]).startswith("keras.")
    return Culprit(
        call["path"], call["class"], what, own, call["file"], call["line"], error,
        call.get("activation", ""),
    )  # fmt: skip


def _worst(
    key: str, exact: Mapping[str, Array], mine: Mapping[str, Array], moves: Mapping[str, Array]
) -> Distance | None:
    names = [name for name in exact if name.startswith(f"{key}/")]
    group = largest_magnitude([exact[name] for name in names])
    found = []
    for name in names:
        if name not in mine:
            continue
        judge, own = exact[name], mine[name]
        if judge.ndim == 0 and own.ndim and not judge.any():
            judge = np.zeros(own.shape)
        if own.ndim == 0 and judge.ndim and not own.any():
            own = np.zeros(judge.shape)
        move = float(np.nan_to_num(moves.get(name, np.zeros(()))))
        scale = largest_magnitude([judge])
        tolerance = EPSILON * (UNITS * scale + GROUP_UNITS * group) + MOVEMENT * move
        found.append(distance(name, own, judge, tolerance))
    return max(found, key=lambda each: each.ratio, default=None)


def _innermost(culprits: Sequence[Culprit], calls: Sequence[Mapping[str, Any]]) -> list[Culprit]:
    """Without calls that hold another culprit: a layer's gradient is wrong where one of its parts' is."""
    parents = {call["path"]: call["parent"] for call in calls}
    by_number = {call["number"]: call["path"] for call in calls}
    outer: set[str] = set()
    for culprit in culprits:
        number = parents.get(culprit.layer, -1)
        while number in by_number:
            path = by_number[number]
            outer.add(path)
            number = parents.get(path, -1)
    inner = [each for each in culprits if each.layer not in outer]
    return inner or list(culprits)


def _makes(node: ast.Call, class_name: str) -> bool:
    """Whether a call makes a layer of this class, or calls the operation of this class in ``keras.ops``."""
    head, _, name = ast.unparse(node.func).rpartition(".")
    if name == class_name:
        return True
    plain, wanted = name.replace("_", "").lower(), class_name.lower()
    if not head.endswith("ops") or len(plain) < 3:
        return False
    # Absolute is ops.abs as well.
    return plain == wanted or wanted.startswith(plain)


def creation_line(files: Iterable[str], class_name: str, layer: str) -> tuple[str, int | None]:
    """Where the source makes a layer: the call that names it, else the first call of its class.

    Args:
        files: the user's own source files.
        class_name: of the layer.
        layer: its path; its last part is its name.
    """
    name = layer.rpartition("/")[2]
    calls: list[tuple[str, int, bool]] = []
    for file in files:
        try:
            tree = ast.parse(Path(file).read_text(encoding="utf-8"))
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _makes(node, class_name):
                named = any(
                    each.arg == "name"
                    and isinstance(each.value, ast.Constant)
                    and each.value.value == name
                    for each in node.keywords
                )
                calls.append((file, node.lineno, named))
    calls.sort(key=lambda each: (each[0], each[1]))
    chosen = next((each for each in calls if each[2]), None)
    if chosen is None and calls:
        _, _, number = name.rpartition("_")
        place = int(number) if number.isdigit() else 0
        chosen = calls[min(place, len(calls) - 1)]
    return (chosen[0], chosen[1]) if chosen else ("", None)
