"""Stable names: the same model code gives the same parameter names in every process and build."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from typing import Any

from torch import nn

_TAKEN = frozenset(dir(nn.Module())) | {"self", "training"}


def identifier(text: str) -> str:
    """``text`` as a Python identifier that hides no attribute of ``torch.nn.Module``.

    Layer names come from files that others wrote, so nothing but ASCII letters, digits and underscores
    gets through.
    """
    name = re.sub(r"[^0-9a-zA-Z]+", "_", text).strip("_") or "layer"
    name = f"layer_{name}" if name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) or name in _TAKEN else name


def class_name(text: str) -> str:
    """``text`` as the name of a class."""
    return "".join(part[:1].upper() + part[1:] for part in identifier(text).split("_") if part)


def unique(name: str, taken: set[str]) -> str:
    """``name``, or with the first number that makes it unused; it is added to ``taken``."""
    candidate, count = name, 0
    while candidate in taken:
        count += 1
        candidate = f"{name}_{count}"
    taken.add(candidate)
    return candidate


def _automatic(operation: Any) -> str | None:
    """The name that Keras makes for a class, if the operation's name is made so."""
    snake = re.sub(r"\W+", "", type(operation).__name__)
    snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", snake))
    made = re.fullmatch(rf"{re.escape(snake.lower())}(_\d+)?", operation.name)
    return snake.lower() if made else None


def stable_names(layers: Iterable[Any]) -> dict[int, str]:
    """Attribute names for layers, by ``id``.

    A name that a person gave is kept. Keras numbers the others through the whole process (the second
    model built has ``dense_3`` where the first has ``dense``), so they are numbered again, from the start
    of this model.
    """
    names: dict[int, str] = {}
    taken: set[str] = set()
    layers = list(layers)
    for layer in layers:
        if _automatic(layer) is None:
            names[id(layer)] = unique(identifier(layer.name), taken)
    for layer in layers:
        automatic = _automatic(layer)
        if automatic is not None:
            names[id(layer)] = unique(identifier(automatic), taken)
    return names
