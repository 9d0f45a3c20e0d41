"""Python values as source text, with nothing in it that could run."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from portable_models.export.errors import RefusedError


def literal(value: Any, other: Callable[[Any], str] | None = None) -> str:
    """``value`` as a Python expression.

    Args:
        value: None, a number, a string, a slice, or a tuple, list or dict of these.
        other: renders what is none of them (a tensor's name, a constant's).

    Raises:
        RefusedError: there is no expression for the value.
    """
    if value is None or value is Ellipsis or isinstance(value, bool | str | int):
        # bool and str subclasses (enums, str-like proxies) may have a repr of their own.
        return "..." if value is Ellipsis else repr(_plain(value))
    if isinstance(value, float | np.floating):
        number = float(value)
        return repr(number) if math.isfinite(number) else f'float("{number}")'
    if isinstance(value, np.integer | np.bool_):
        return repr(value.item())
    if isinstance(value, slice):
        return (
            f"slice({', '.join(literal(v, other) for v in (value.start, value.stop, value.step))})"
        )
    if isinstance(value, tuple):
        inside = ", ".join(literal(item, other) for item in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, list):
        return f"[{', '.join(literal(item, other) for item in value)}]"
    if isinstance(value, dict):
        pairs = (f"{literal(str(key))}: {literal(item, other)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if other is not None:
        return other(value)
    raise RefusedError(f"a value of type {type(value).__name__} cannot be written as source")


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    return str.__str__(value) if isinstance(value, str) else int(value)


def subscript(key: Any, other: Callable[[Any], str]) -> str:
    """The inside of ``x[...]``, written with colons."""
    items = key if isinstance(key, tuple) else (key,)

    def one(item: Any) -> str:
        if not isinstance(item, slice):
            return literal(item, other)
        start, stop, step = (
            "" if v is None else literal(v, other) for v in (item.start, item.stop, item.step)
        )
        return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"

    inside = ", ".join(one(item) for item in items)
    return f"{inside}," if isinstance(key, tuple) and len(items) == 1 else inside or "()"


def arguments(*positional: str, **keywords: Any) -> str:
    """Arguments of a constructor: expressions as they are, then keyword values as literals."""
    return ", ".join([*positional, *(f"{key}={literal(v)}" for key, v in keywords.items())])


def without_defaults(values: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The values that differ from their defaults, so that the source says only what matters."""
    return {k: v for k, v in values.items() if k not in defaults or defaults[k] != v}
