"""The frames that Keras cuts out of tracebacks."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from keras.src.utils import traceback_utils


def watch_cut_tracebacks(note: Callable[[TracebackType], None]) -> None:
    """Call a function with every traceback before Keras cuts its own frames out of it, for good.

    With ``keras.config.disable_traceback_filtering`` nothing would be cut, and no message would name the
    layer whose call has failed
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/utils/traceback_utils.py).
    """
    original = traceback_utils._process_traceback_frames

    def process(trace: TracebackType) -> Any:
        note(trace)
        return original(trace)

    traceback_utils._process_traceback_frames = process
