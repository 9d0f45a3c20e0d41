"""Failures that follow from a mistake that is known already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from backends_matrix.check.localise import creation_line
from backends_matrix.check.result import Check, Kind, Status


def follow_mistakes(checks: Sequence[Check]) -> list[Check]:
    """Failures without a place of their own are the author's, where the author has made a mistake.

    A branch on the backend in one layer, say, changes what a model file gives elsewhere; to call that
    Keras's would send the author to the wrong place. What a known gap explains, or localisation has found,
    stays as it is.
    """
    first = next(
        (c for c in checks if c.status is Status.FAIL and c.kind is Kind.AUTHOR and c.line), None
    )
    if first is None:
        return list(checks)
    return [
        replace(
            check,
            kind=Kind.AUTHOR,
            cause=f"{check.cause}; it may follow from: {first.cause}",
            file=first.file,
            line=first.line,
            hint=first.hint,
        )
        if check.status is Status.FAIL
        and check.kind is Kind.KERAS
        and not (check.layer or check.known_gap or check.line)
        else check
        for check in checks
    ]


def share_explanations(checks: Sequence[Check]) -> list[Check]:
    """One stage that fails on several backends is explained by the backend whose exception names a line.

    JAX cuts the traceback of a failed call short, and its message then speaks of something else.
    """
    best: dict[str, Check] = {}
    for check in checks:
        if check.status is Status.FAIL and check.kind is Kind.AUTHOR and check.hint and check.line:
            best.setdefault(check.name, check)
    found = []
    for check in checks:
        other = best.get(check.name)
        if (
            other is not None
            and check.status is Status.FAIL
            and not check.hint
            and check.kind is not Kind.HARNESS
        ):
            check = replace(
                check,
                kind=Kind.AUTHOR,
                cause=f"{check.cause}; on {other.backend}: {other.cause}",
                file=other.file,
                line=other.line,
                hint=other.hint,
            )
        found.append(check)
    return found


WITH_TENSORFLOW = frozenset(
    {"Hashing", "HashedCrossing", "StringLookup", "IntegerLookup", "TextVectorization"}
)
"""Layers of Keras that compute with TensorFlow on every backend, which JAX cannot compile."""


def blame_tensorflow_inside(checks: Sequence[Check], layers: Mapping[str, str]) -> list[Check]:
    """Name the layer of Keras in which JAX met an operation of TensorFlow that the author does not call."""
    inside = next((path for path, kind in layers.items() if kind in WITH_TENSORFLOW), "")
    if not inside:
        return list(checks)
    return [
        replace(
            check,
            kind=Kind.KERAS,
            cause=f"{layers[inside]} {inside!r} computes with TensorFlow on every backend, and JAX cannot "
            f"compile that",
            layer=inside,
            hint=f"call {layers[inside]} on the data or in a tf.data pipeline, and give the model its ids",
        )
        if check.status is Status.FAIL
        and check.line is None
        and "JAX met an operation of TensorFlow" in check.cause
        else check
        for check in checks
    ]


def name_layers(
    checks: Sequence[Check], layers: Mapping[str, str], files: Sequence[str]
) -> list[Check]:
    """Put a layer's path where an exception names its class, and the line that makes it.

    Args:
        checks: rows.
        layers: class names by path.
        files: the user's own source files.
    """
    found = []
    for check in checks:
        if check.status is Status.FAIL and check.layer and check.layer not in layers:
            paths = [path for path, kind in layers.items() if kind == check.layer]
            file, line = creation_line(files, check.layer, paths[0] if paths else check.layer)
            if line is not None and check.line is None:
                check = replace(check, file=file, line=line)
            check = replace(check, layer=paths[0]) if paths else check
        found.append(check)
    return found
