"""What was changed on a model since its last training, without ``compile``.

``Model.fit`` keeps the step that it traced first until the model is compiled again, and so goes on with the
old values. A compiled training traces the model as it is.
"""

from __future__ import annotations

import functools
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary, ref

from portable_models._backend import current
from portable_models._keras.compile_settings import compilation_of, compiled_parts
from portable_models._keras.layers import all_layers
from portable_models.training.engines.side_effects import cell_contents, is_known

_PLAIN = (int, float, str, bool, type(None))
_LONGEST = 100
"""Entries of a container that are compared."""
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
    """Numbers and words that a trace of the model may have read: attributes, closures and globals."""
    parts = {layer.name: layer for layer in all_layers(model)} | {"optimizer": model.optimizer}
    given = [part for part in compiled_parts(model) if part is not model.optimizer]
    parts |= {f"{getattr(part, '__name__', type(part).__name__)}": part for part in given}
    values: dict[str, Any] = {}
    for owner, part in parts.items():
        values[f"{owner}.trainable"] = getattr(part, "trainable", None)
        for name, value in getattr(part, "__dict__", {}).items():
            if name[0] != "_" and name not in _OF_KERAS and isinstance(value, _PLAIN):
                values[f"{owner}.{name}"] = value
        for function in _functions_of_the_user(part):
            values |= {f"{owner}: {name}": each for name, each in _read_by(function).items()}
    return values


def _functions_of_the_user(part: Any) -> list[FunctionType]:
    if isinstance(part, functools.partial):
        part = part.func
    if isinstance(part, FunctionType):
        return [] if is_known(part) else [part]
    methods = [value for kind in type(part).__mro__ for value in vars(kind).values()]
    return [each for each in methods if isinstance(each, FunctionType) and not is_known(each)]


def _read_by(function: FunctionType) -> dict[str, str]:
    """Plain values, alone or in a container, that a function finds outside of itself."""
    names = function.__code__.co_freevars
    found = {
        name: value
        for name, cell in zip(names, function.__closure__ or (), strict=True)
        for value in cell_contents(cell)
    }
    found |= {
        name: function.__globals__[name]
        for name in function.__code__.co_names
        if name in function.__globals__
    }
    return {name: repr(value) for name, value in found.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple, set)):
        return len(value) <= _LONGEST and all(isinstance(each, _PLAIN) for each in value)
    return isinstance(value, _PLAIN)
