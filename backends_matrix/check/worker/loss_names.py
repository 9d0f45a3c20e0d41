"""What a model's losses and metrics are called in the table of known gaps."""

from __future__ import annotations

import inspect
import sys
from types import FrameType
from typing import Any

import keras

from backends_matrix.check.worker.failure import is_users
from portable_models._keras.compile_settings import compiled_parts
from portable_models._keras.loss_functions import (
    get_wrapped_arguments,
    get_wrapped_function,
    has_logits_behind,
)

_LOSSES = keras.losses.mean_squared_error.__module__
"""Where Keras's loss functions are written."""


def describe_loss(model: Any, x: Any, y: Any, root: str) -> dict[str, Any]:
    """Compute a compiled model's loss once, and say which functions of Keras compute it and of what.

    Args:
        model: compiled.
        x: its input, as tensors.
        y: targets, as tensors.
        root: folder of the user's own files.

    Returns:
        ``names``: classes and functions of the losses. A crossentropy bears what its numbers depend on:
        ``NAME:activation`` of the output of a sigmoid or softmax, ``NAME:from_logits`` of logits,
        ``NAME:logits_of_activation`` where both are claimed, ``own:NAME`` inside of the user's own loss; a
        crossentropy of anything else is not named. ``file`` and ``line`` of the user's own loss.
    """
    parts = [part for part in keras.tree.flatten(model.loss) if part is not None]
    own = [place for part in parts if (place := _place(part, root))]
    outputs = model(x, training=False)
    called = _called(model, x, y, outputs)
    behind = any(has_logits_behind(leaf) for leaf in keras.tree.flatten(outputs))
    logits = any(get_wrapped_arguments(part).get("from_logits") for part in parts)
    found = []
    for name in dict.fromkeys([*called, *(type(part).__name__ for part in parts)]):
        if "crossentropy" not in name.lower():
            found.append(name)
        elif own:
            found += [f"own:{name}"] if behind else []
        elif logits:
            found.append(f"{name}:logits_of_activation" if behind else f"{name}:from_logits")
        elif behind:
            found.append(f"{name}:activation")
    file, line = own[0] if own else ("", None)
    return {"names": found, "file": file, "line": line}


def metric_classes(model: Any) -> dict[str, str]:
    """The class of every metric that a model was compiled with, by its name."""
    return {
        part.name: type(part).__name__
        for part in compiled_parts(model)
        if isinstance(part, keras.Metric)
    }


def _called(model: Any, x: Any, y: Any, outputs: Any) -> list[str]:
    """The functions of ``keras.losses`` that a model's loss calls."""
    found: list[str] = []

    def note(frame: FrameType, event: str, argument: Any) -> None:
        del argument
        if event == "call" and frame.f_globals.get("__name__") == _LOSSES:
            found.append(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        model.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=None, training=False)
    finally:
        sys.setprofile(before)
        model.reset_metrics()
    return [name for name in found if hasattr(keras.losses, name)]


def _place(part: Any, root: str) -> tuple[str, int] | None:
    """File and line of a loss that the user has written; None for Keras's own."""
    function = get_wrapped_function(part) or part
    target = inspect.unwrap(function) if inspect.isfunction(function) else type(function)
    try:
        file, (_, line) = inspect.getsourcefile(target), inspect.getsourcelines(target)
    except (OSError, TypeError):
        return None
    return (file, line) if file and is_users(file, root) else None
