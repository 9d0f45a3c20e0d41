"""How a call could be written down again, with Keras alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from backends_matrix.check.worker.calls import Call


def recipe_of(call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Python source that makes the call again; empty where there is none.

    Returns:
        ``source``: an expression that makes the layer, or that calls the operation on ``x0``, ``x1`` and
        so on; ``arguments``: the named arguments of a layer's call.
    """
    try:
        if call.kind == "layer":
            return {"source": _layer(call.target), "takes": _takes(args)}
        return {"source": _operation(call, args, kwargs), "takes": _takes(args)}
    except Exception:  # what cannot be written down is not reduced
        return {}


def _takes(args: tuple[Any, ...]) -> str:
    return "list" if args and isinstance(args[0], list | tuple) else "tensor"


def _layer(layer: Any) -> str:
    """``keras.layers.Dense(units=3, ...)`` with what differs from the defaults."""
    kind = type(layer)
    if not kind.__module__.startswith("keras."):
        return ""
    import inspect

    config = layer.get_config()
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(kind.__init__).parameters.items()
    }
    parts = []
    for name, value in config.items():
        if name in ("name", "trainable", "dtype", "seed", "batch_input_shape", "build_config"):
            continue
        plain = _plain(value)
        default = _plain(defaults.get(name, inspect.Parameter.empty))
        if plain == default or name not in defaults or name.endswith("_initializer"):
            continue
        parts.append(f"{name}={json.loads(json.dumps(plain))!r}")
    return f"keras.layers.{kind.__name__}({', '.join(parts)})"


def _plain(value: Any) -> Any:
    """Serialized objects of Keras as their names, where a name makes them."""
    if isinstance(value, dict) and "class_name" in value and not value.get("config"):
        return value["class_name"]
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _operation(call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """``keras.ops.norm(x0, axis=-1)``."""
    known = {name.replace("_", ""): name for name in dir(keras.ops)}
    name = known.get(call.name.replace("_", "").lower())
    if name is None:
        return ""
    count = 0

    def one(value: Any) -> str:
        nonlocal count
        if keras.ops.is_tensor(value):
            count += 1
            return f"x{count - 1}"
        if isinstance(value, list | tuple):
            inner = ", ".join(one(each) for each in value)
            return f"[{inner}]" if isinstance(value, list) else f"({inner},)"
        return repr(value)

    parts = [one(each) for each in args] + [f"{key}={one(value)}" for key, value in kwargs.items()]
    if not callable(getattr(call.target, "get_config", None)):
        return f"keras.ops.{name}({', '.join(parts)})"
    config = call.target.get_config()
    parts += [
        f"{key}={value!r}"
        for key, value in config.items()
        if key not in ("name", "dtype") and value is not None
    ]
    return f"keras.ops.{name}({', '.join(parts)})"
