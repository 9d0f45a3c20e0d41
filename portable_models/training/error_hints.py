"""Explanations for errors of Keras and the frameworks that do not say what is wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

_NO_GRADIENT = (
    "No weight that may be trained influences the loss. Look for trainable=False on every layer, a loss that "
    "does not use y_pred, or a value that left the framework in between (NumPy, .numpy(), detach)."
)
_LEAKED = (
    "A tensor of one traced step is used in another. Look for tensors kept in attributes (self.x = ... in "
    "call or train_step), in lists or in globals; keep them in variables (self.add_weight) instead."
)
_EXPLANATIONS: tuple[tuple[str, str], ...] = (
    ("No gradients provided", _NO_GRADIENT),
    ("does not require grad and does not have a grad_fn", _NO_GRADIENT),
    ("UnexpectedTracerError", _LEAKED),
    ("inputs but called with", _LEAKED),
    ("is out of scope and cannot be used here", _LEAKED),
    (
        "Cannot take the length of shape with unknown rank",
        "TensorFlow traced the step for other data before. Compile the model again before it trains on "
        "another kind of input.",
    ),
)
"""Part of an error's class or message -> what it means."""


def explain(error: BaseException) -> str:
    """What an error of a framework means, in plain words; empty where nothing is known."""
    text = f"{type(error).__name__}: {error}"
    return next((meaning for part, meaning in _EXPLANATIONS if part in text), "")


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Add an explanation to an error that passes through, where one is known; the error stays as it is."""
    try:
        yield
    except Exception as error:
        if meaning := explain(error):
            error.add_note(f"portable_models: {meaning}")
        raise
