"""How a call could be written down again, with Keras and the source of the user's own classes."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras

from backends_matrix.check.worker.class_source import definitions_of
from backends_matrix.check.worker.tensors import tensors_of

if TYPE_CHECKING:
    from backends_matrix.check.worker.calls import Call

_OF_BASE_CLASSES = frozenset(
    {"name", "trainable", "seed", "batch_input_shape", "batch_shape", "build_config"}
)
_PLAIN_TYPES = ("float32", "float64")


class _NotWritableError(Exception):
    """There is no source that makes this."""


def recipe_of(
    call: Call, args: tuple[Any, ...], kwargs: dict[str, Any], root: str
) -> dict[str, Any]:
    """Python source that makes the call again; empty where there is none.

    Returns:
        ``make``: an expression that makes the layer, "" for an operation; ``call``: an expression that calls
        it, where ``{0}``, ``{1}`` ... stand for its tensors and ``{layer}`` for the layer; ``definitions``:
        source of the user's classes that ``make`` names; ``random``: it draws random numbers in training.
    """
    try:
        if call.kind == "op":
            return {"make": "", "call": _operation(call, args, kwargs), "definitions": []}
        definitions: dict[str, str] = {}
        make = _layer(call.target, root, definitions)
        return {
            "make": make,
            "call": f"{{layer}}({_arguments(args, kwargs)})",
            "definitions": list(definitions.values()),
            "random": _is_random(call.target),
        }
    except Exception:  # what cannot be written down is not reduced
        return {}


def _is_random(layer: Any) -> bool:
    return any("seed_generator" in variable.path for variable in layer.non_trainable_variables)


def _layer(layer: Any, root: str, definitions: dict[str, str]) -> str:
    """``keras.layers.Dense(units=3, ...)`` with what differs from the defaults."""
    kind = type(layer)
    if kind.__module__.startswith("keras."):
        name = f"keras.layers.{kind.__name__}"
    else:
        definitions |= definitions_of(kind, root)
        name = kind.__name__
    parts = []
    parameters = inspect.signature(kind.__init__).parameters
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    own = not kind.__module__.startswith("keras.")
    for key, value in layer.get_config().items():
        if key == "dtype":
            policy = layer.dtype_policy.name
            if policy not in _PLAIN_TYPES:
                parts.append(f"dtype={policy!r}")
            continue
        if key in _OF_BASE_CLASSES or key.endswith("_initializer"):
            continue
        if key not in parameters and not (own and takes_any):
            continue
        if "dropout" in key and isinstance(value, float):
            # Every backend draws its own numbers, which is no difference.
            value = 0.0
        default = parameters[key].default if key in parameters else inspect.Parameter.empty
        written = _expression(value, root, definitions)
        if default is not inspect.Parameter.empty and _same(value, default):
            continue
        parts.append(f"{key}={written}")
    return f"{name}({', '.join(parts)})"


def _same(value: Any, default: Any) -> bool:
    """Whether a value of a configuration is what the default of the argument becomes."""
    if isinstance(value, dict) and "class_name" in value:
        return isinstance(default, str) and default.replace("_", "") == (
            str(value["class_name"]).lower()
        )
    if isinstance(value, list | tuple) and isinstance(default, list | tuple):
        return list(value) == list(default)
    return bool(value == default)


def _expression(value: Any, root: str, definitions: dict[str, str]) -> str:
    """Source of a value of a configuration."""
    if isinstance(value, Mapping) and "class_name" in value and "config" in value:
        made = keras.saving.deserialize_keras_object(dict(value))
        if isinstance(made, keras.Layer):
            return _layer(made, root, definitions)
        module = str(value.get("module") or "")
        if not module.startswith("keras.") or not isinstance(value["config"], Mapping):
            raise _NotWritableError
        inner = {key: each for key, each in value["config"].items() if key != "name"}
        listed = ", ".join(f"{k}={_expression(v, root, definitions)}" for k, v in inner.items())
        return f"{module}.{value['class_name']}({listed})"
    if isinstance(value, list | tuple):
        inside = ", ".join(_expression(each, root, definitions) for each in value)
        return f"({inside},)" if isinstance(value, tuple) else f"[{inside}]"
    written = repr(value)
    if ast.literal_eval(written) != value:
        raise _NotWritableError
    return written


class _Places:
    """Writes arguments, with its number for each tensor."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._numbers: dict[int, int] = {}
        for number, tensor in enumerate(tensors_of((args, kwargs))):
            self._numbers.setdefault(id(tensor), number)

    def write(self, value: Any) -> str:
        """Source of one argument."""
        if keras.ops.is_tensor(value):
            return f"{{{self._numbers[id(value)]}}}"
        if isinstance(value, keras.Variable):
            raise _NotWritableError
        if isinstance(value, list | tuple):
            inner = ", ".join(self.write(each) for each in value)
            if isinstance(value, list):
                return f"[{inner}]"
            return f"({inner},)" if value else "()"
        if isinstance(value, dict):
            listed = ", ".join(f"{key!r}: {self.write(each)}" for key, each in value.items())
            return f"{{{{{listed}}}}}"
        return repr(value).replace("{", "{{").replace("}", "}}")


def _arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    places = _Places(args, kwargs)
    parts = [places.write(each) for each in args]
    for key, value in kwargs.items():
        if key != "training" and value is not None:
            parts.append(f"{key}={places.write(value)}")
    return ", ".join(parts)


def _operation(call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """``keras.ops.norm({0}, axis=-1)``."""
    config = {}
    if callable(getattr(call.target, "get_config", None)):
        config = call.target.get_config()
    if call.name == "GetItem":
        places = _Places(args, kwargs)
        return f"{places.write(args[0])}[{args[1] if len(args) > 1 else kwargs['key']!r}]"
    known = {name.replace("_", ""): name for name in dir(keras.ops)}
    name = known[call.name.replace("_", "").lower()]
    parts = [_arguments(args, kwargs)] if args or kwargs else []
    parts += [
        f"{key}={value!r}"
        for key, value in config.items()
        if key not in ("name", "dtype", *kwargs) and value is not None
    ]
    return f"keras.ops.{name}({', '.join(parts)})"
