"""Warnings that a stage gives, with what of Keras they come from."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from backends_matrix.check.worker.keras_frames import running_in_keras

_MOST = 20


@contextlib.contextmanager
def heard_warnings(found: dict[str, Any]) -> Iterator[None]:
    """Inside, every warning that is new is kept and none is shown.

    Args:
        found: gets ``warnings``, if there are any: type, message, and the frames of Keras that lead to it.
    """
    heard: dict[str, dict[str, Any]] = {}

    def note(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        del rest, more
        said = str(message)[:300]
        if said not in heard and len(heard) < _MOST:
            heard[said] = {
                "type": category.__name__,
                "message": said,
                "keras_frames": running_in_keras(),
            }

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = note
        try:
            yield
        finally:
            if heard:
                found["warnings"] = list(heard.values())
