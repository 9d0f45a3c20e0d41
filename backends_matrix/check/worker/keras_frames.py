"""The functions and objects of Keras that an exception went through."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import FrameType
from typing import Any

_LONGEST = 60


def keras_frames(errors: Iterable[BaseException]) -> list[dict[str, str]]:
    """Name what of Keras was running when an exception was raised, outermost first.

    Args:
        errors: the exception and its causes.

    Returns:
        For every frame in Keras's own files: ``function``; ``class``, of the object whose method it is; and
        ``layer``, its path where it is a layer and no model.
    """
    found: list[dict[str, str]] = []
    for error in errors:
        trace = error.__traceback__
        while trace is not None:
            if _is_keras(trace.tb_frame):
                found.append(_described(trace.tb_frame))
            trace = trace.tb_next
    return found[-_LONGEST:]


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
