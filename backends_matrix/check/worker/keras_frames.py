"""The functions and objects of Keras that an exception went through."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Any

_LONGEST = 60


def keras_frames(errors: Iterable[BaseException]) -> list[dict[str, str]]:
    """Name what of Keras was running when an exception was raised, outermost first.

    Args:
        errors: the exception and its causes, from the last to the first.

    Returns:
        For every frame in Keras's own files: ``function``; ``class``, of the object whose method it is; and
        ``layer``, its path where it is a layer and no model.
    """
    found = [frame for error in errors for frame in _frames_of(error.__traceback__)]
    # The innermost frames are cut first.
    found += [frame for frames in reversed(_CUT) for frame in frames]
    return found[-_LONGEST:]


_CUT: list[list[dict[str, str]]] = []
"""Frames that Keras has cut out of tracebacks since the stage began."""


def note_cut_frames(trace: TracebackType | None) -> None:
    """Keep the frames of a traceback that Keras is about to cut."""
    if frames := _frames_of(trace):
        _CUT.append(frames)


def forget_cut_frames() -> None:
    """Begin anew: what was cut before has nothing to do with what comes."""
    _CUT.clear()


def _frames_of(trace: TracebackType | None) -> list[dict[str, str]]:
    found = []
    while trace is not None:
        if _is_keras(trace.tb_frame):
            found.append(_described(trace.tb_frame))
        trace = trace.tb_next
    return found


def running_in_keras() -> list[dict[str, str]]:
    """Name what of Keras leads to the caller, outermost first, as ``keras_frames`` does."""
    found: list[dict[str, str]] = []
    # Documented in spite of its name.
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
    while frame is not None and len(found) < _LONGEST:
        if _is_keras(frame):
            found.append(_described(frame))
        frame = frame.f_back
    return found[::-1]


def _is_keras(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith("keras.")


def _described(frame: FrameType) -> dict[str, str]:
    name = frame.f_code.co_name
    owner: Any = frame.f_locals.get("self")
    if owner is None:
        return {"function": name, "class": "", "layer": ""}
    kinds = {each.__name__ for each in type(owner).__mro__}
    try:
        # A layer whose __init__ has failed has no path yet.
        layer = str(owner.path or owner.name) if "Layer" in kinds and "Model" not in kinds else ""
    except Exception:
        layer = ""
    return {"function": name, "class": type(owner).__name__, "layer": layer}
