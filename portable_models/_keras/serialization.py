"""Serialization without TensorFlow where TensorFlow is not loaded."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

from keras.src.saving import serialization_lib


class _TensorFlow:
    """Stands for TensorFlow: absent until something else imports it, then itself."""

    def __getattr__(self, name: str) -> Any:
        if name == "available" and "tensorflow" not in sys.modules:
            # No object can be TensorFlow's if it was never imported.
            return False
        return getattr(_KERAS_OWN, name)


_KERAS_OWN: Any = serialization_lib.tf
_ONE_AT_A_TIME = threading.RLock()
"""Two threads that overlap would put back each other's replacement."""


def serialize_without_tensorflow() -> None:
    """Let Keras serialize objects without importing TensorFlow to ask whether they are its own.

    Keras 3.15.1 does so for every object, which costs five seconds and 600 MB on JAX and torch
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/saving/serialization_lib.py).
    """
    serialization_lib.tf = _TensorFlow()


@contextlib.contextmanager
def serialized_without_tensorflow() -> Iterator[None]:
    """Inside, the same; at the end Keras is as it was before."""
    with _ONE_AT_A_TIME:
        before = serialization_lib.tf
        serialize_without_tensorflow()
        try:
            yield
        finally:
            serialization_lib.tf = before
