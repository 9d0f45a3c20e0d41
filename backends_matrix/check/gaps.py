"""Known gaps of Keras and its backends, looked up for a difference or a failure that was found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from portable_models.known_gaps import KnownGap, known_gaps


def gap_for(backend: str, names: Sequence[str], check: str) -> KnownGap | None:
    """The gap that explains numbers of a backend that differ.

    Args:
        backend: who failed.
        names: class names involved, the closest first: the layer or operation that differs, the loss,
            ``OPTIMIZER:LAYER``.
        check: which check.
    """
    gaps = [
        gap
        for gap in known_gaps(backend)
        if not (gap.raises or gap.raises_elsewhere) and _concerns(gap, check)
    ]
    return _first_named(gaps, names)


def gap_of_exception(
    backend: str, failure: Mapping[str, Any], names: Sequence[str], check: str
) -> KnownGap | None:
    """The gap that explains an exception.

    Args:
        backend: where it was raised; for a file, where it was read.
        failure: as a worker describes it, with the frames of Keras that it went through.
        names: class names involved besides those of the frames.
        check: which check.
    """
    said = _said(failure)
    gaps = [
        gap
        for gap in known_gaps(backend)
        if gap.raises and _concerns(gap, check) and re.search(gap.raises, said)
    ]
    return _first_named(gaps, [*names, *frame_names(failure)])


def gap_of_silence(backend: str, failure: Mapping[str, Any], check: str) -> KnownGap | None:
    """The gap of other backends, which compute on where this one rightly raises an exception.

    Args:
        backend: where it was raised.
        failure: as a worker describes it.
        check: which check.
    """
    gaps = [
        gap
        for gap in known_gaps()
        if gap.raises_elsewhere
        and backend not in gap.backends
        and _concerns(gap, check)
        and re.search(gap.raises_elsewhere, _said(failure))
    ]
    return _first_named(gaps, frame_names(failure))


def _said(failure: Mapping[str, Any]) -> str:
    first = f"{failure.get('type', '')}: {failure.get('message', '')}"
    return " ".join([first, *failure.get("causes", [])])


def frame_names(failure: Mapping[str, Any]) -> list[str]:
    """The classes and functions of Keras that an exception went through, the innermost first."""
    frames = failure.get("keras_frames", [])
    return [frame[key] for frame in reversed(frames) for key in ("class", "function") if frame[key]]


def layer_of_exception(failure: Mapping[str, Any], gap: KnownGap) -> str:
    """The path of the innermost layer that an exception went through whose class is the gap's.

    Where there is none: the name that the message says, by the group ``name`` of the gap's expression; else
    the innermost layer, else the innermost class of the gap's, else "".
    """
    wanted = {_plain(each) for each in gap.layers}
    match = re.search(gap.raises, _said(failure)) if gap.raises else None
    said = match.groupdict().get("name") if match else None
    frames = [frame for frame in failure.get("keras_frames", []) if frame["layer"]]
    named = [frame["layer"] for frame in frames if _plain(frame["class"]) in wanted]
    if said and not named:
        return str(said)
    if named or frames:
        return str(named[-1] if named else frames[-1]["layer"])
    classes = [frame["class"] for frame in reversed(failure.get("keras_frames", []))]
    return next((name for name in classes if _plain(name) in wanted), "")


def function_of_exception(failure: Mapping[str, Any], gap: KnownGap) -> str:
    """The innermost function of the gap's that an exception went through; else ""."""
    wanted = {_plain(each) for each in gap.layers}
    return next((name for name in frame_names(failure) if _plain(name) in wanted), "")


def _concerns(gap: KnownGap, check: str) -> bool:
    return not gap.checks or check in gap.checks


def _first_named(gaps: Sequence[KnownGap], names: Sequence[str]) -> KnownGap | None:
    for name in names:
        for gap in gaps:
            if name and _plain(name) in {_plain(each) for each in gap.layers}:
                return gap
    return None


def _plain(name: str) -> str:
    """A class and the function that computes the same have one name: HardTanh and hard_tanh."""
    return name.replace("_", "").lower()
