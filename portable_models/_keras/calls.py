"""How a model or layer is called: told that it is trained, the inherited mode, and the stateless scope."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from keras.src.backend.common.stateless_scope import in_stateless_scope


def call_in_training(model: Any, x: Any) -> Any:
    """The outputs of a model as ``Model.fit`` calls it: told of training if its call names ``training``.

    A call that does not name it is not told on any backend, so that its layers compute as in inference
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/backend/torch/trainer.py, ``train_step``).
    """
    return model(x, training=True) if names_training(model) else model(x)


def names_training(model: Any) -> bool:
    """Whether the call of a model has an argument of the name ``training``."""
    return "training" in model.call_signature_parameters


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
