"""What was changed on a model since its last training, without ``compile``.

``Model.fit`` keeps the step that it traced first until the model is compiled again, and so goes on with the
old values. A compiled training traces the model as it is.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary, ref

from portable_models._backend import current
from portable_models._keras.compile_settings import compilation_of
from portable_models._keras.layers import all_layers

_PLAIN = (int, float, str, bool, type(None))
_OF_KERAS = ("built", "stop_training", "stop_evaluating", "stop_predicting", "compiled")
"""Attributes that Keras changes by itself."""
_AT_LAST: WeakKeyDictionary[Any, tuple[ref[Any], dict[str, Any]]] = WeakKeyDictionary()


class ChangedModelWarning(UserWarning):
    """A model was changed between two trainings without ``compile``; ``Model.fit`` would not notice."""


def remember(model: Any) -> None:
    """Keep what a compiled model is like after a training, where that decides anything."""
    if not current().runs_python_at_every_step:
        # Not the compilation itself: it holds losses and metrics, which may hold the model.
        _AT_LAST[model] = ref(compilation_of(model)), _plain_values(model)


def changes(model: Any) -> str:
    """What was changed since the last training of the model, in words; empty where nothing was.

    Empty too where the model was compiled since, and on backends that run Python code at every step.
    """
    if model not in _AT_LAST:
        return ""
    compilation, before = _AT_LAST[model]
    if compilation() is not compilation_of(model):
        return ""
    now = _plain_values(model)
    found = [
        f"{name} from {before[name]!r} to {now[name]!r}"
        for name in before.keys() & now.keys()
        if before[name] != now[name] and before[name] == before[name]
    ]
    return ", ".join(sorted(found)[:3])


def _plain_values(model: Any) -> dict[str, Any]:
    parts = {layer.name: layer for layer in all_layers(model)} | {"optimizer": model.optimizer}
    values = {
        f"{owner}.{name}": value
        for owner, part in parts.items()
        for name, value in getattr(part, "__dict__", {}).items()
        if name[0] != "_" and name not in _OF_KERAS and isinstance(value, _PLAIN)
    }
    return values | {
        f"{name}.trainable": getattr(part, "trainable", None) for name, part in parts.items()
    }
