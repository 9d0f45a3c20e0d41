"""Callbacks of a recipe, made anew for every training."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import keras

from portable_models.training.recipe import CallbackSource, Recipe


def make_callbacks(recipe: Recipe) -> list[Any]:
    """A new callback for each one that the recipe names.

    Raises:
        ValueError: a name that ``keras.callbacks`` does not have.
    """
    return [_make(source) for source in recipe.callbacks]


def _make(source: CallbackSource) -> Any:
    if isinstance(source, str):
        return _class(source)()
    if isinstance(source, Mapping):
        return _class(source["class_name"])(**source.get("config", {}))
    return source()


def _class(name: str) -> Any:
    found = getattr(keras.callbacks, name, None)
    if found is None:
        near = difflib.get_close_matches(name, dir(keras.callbacks), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(
            f"unknown callback {name!r}: expected the name of a class in keras.callbacks{hint}. "
            "A callback of your own is given as a function that makes one"
        )
    return found
