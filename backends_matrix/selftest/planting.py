"""Ways to plant a fault: a constructor, a method or a function that is not the one that was written."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def settings(path: str, **changes: Any) -> None:
    """A class of keras whose constructor is given other arguments than the user's."""
    import keras

    owner: Any = keras
    for part in path.split("."):
        owner = getattr(owner, part)
    original = owner.__init__

    # Without positional arguments: Keras reads the names of a layer's from its constructor.
    def patched(self: Any, **given: Any) -> None:
        original(self, **{**given, **changes})

    owner.__init__ = patched


def around(owner: Any, method: str, wrapper: Callable[..., Any]) -> None:
    """A method that is called through ``wrapper(original, self, ...)``."""
    original = getattr(owner, method)

    @functools.wraps(original)
    def patched(self: Any, *arguments: Any, **given: Any) -> Any:
        return wrapper(original, self, *arguments, **given)

    setattr(owner, method, patched)


def outputs(layer: str, change: Callable[[Any], Any]) -> None:
    """A layer of keras whose outputs are changed."""
    import keras

    def call(original: Any, self: Any, *arguments: Any, **given: Any) -> Any:
        return change(original(self, *arguments, **given))

    around(getattr(keras.layers, layer), "call", call)


def backwards(layer: str, factor: float) -> None:
    """A layer of keras whose outputs are right, and whose gradient is ``factor`` of what it should be."""
    import keras

    def change(found: Any) -> Any:
        return found + (keras.ops.stop_gradient(found) - found) * (1.0 - factor)

    outputs(layer, change)


def everywhere(original: Any, other: Any) -> None:
    """Every module of the library that holds a function under its name is given another."""
    import sys

    name = original.__name__
    for module in list(sys.modules.values()):
        ours = getattr(module, "__name__", "").startswith("portable_models")
        if ours and vars(module).get(name) is original:
            setattr(module, name, other)
