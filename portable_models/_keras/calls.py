"""The context in which a layer is called: the inherited training mode, and the stateless scope."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from keras.src.backend.common.stateless_scope import in_stateless_scope


@contextlib.contextmanager
def inherit_training(layer: Any, training: bool) -> Iterator[None]:
    """Let layers that are called inside this context inherit a training mode, as in a call of ``layer``.

    Needed where ``layer.call`` is called directly. The public way to set the mode is ``Layer.__call__``,
    which also casts and records the arguments
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/layers/layer.py, ``_get_call_context``).
    """
    layer._get_call_context().set_value("training", training)
    try:
        yield
    finally:
        layer._maybe_reset_call_context()


def is_in_stateless_scope() -> bool:
    """Tell whether a ``keras.StatelessScope`` is active.

    Needed to refuse to make variables inside one. The class is public; a question for the active scope is not
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/backend/common/stateless_scope.py).
    """
    return bool(in_stateless_scope())
