"""What ``fit`` requires of a model, and how a recipe stands for the other arguments."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import keras

from portable_models.training.callbacks import make_callbacks
from portable_models.training.compiling import compile_model
from portable_models.training.recipe import Recipe
from portable_models.training.settings import RECIPE_VALIDATION_BATCH

_DEFAULTS: Mapping[str, Any] = {
    "batch_size": None,
    "epochs": 1,
    "callbacks": None,
    "class_weight": None,
    "shuffle": True,
    "initial_epoch": 0,
    "steps_per_epoch": None,
}
"""Arguments of ``fit`` that a recipe stands for, and their defaults."""


class RecipeCompilesWarning(UserWarning):
    """A compiled model was given with a recipe, so it was compiled anew and its optimizer's state is lost."""


class LossWarning(UserWarning):
    """A compiled loss is known to differ between backends; the message names one that does not."""


def require_keras_model(model: Any) -> None:
    """Check that ``model`` is a Keras model of this process's Keras.

    Raises:
        TypeError: it is not.
    """
    if isinstance(model, keras.Model):
        return
    kind = type(model)
    hint = (
        " It is a model of tf.keras (Keras 2): import keras instead"
        if kind.__module__.startswith(("tf_keras", "tensorflow"))
        else ""
    )
    raise TypeError(f"fit() trains a keras.Model; got {kind.__module__}.{kind.__qualname__}.{hint}")


def require_compiled(model: Any) -> None:
    """Check that a model is compiled.

    Raises:
        ValueError: it is not.
    """
    if not model.compiled:
        raise ValueError(
            "the model is not compiled: call model.compile(optimizer=..., loss=...) before fit(), or give "
            "fit() a recipe"
        )


def by_recipe(recipe: Recipe, given: Mapping[str, Any], seed: int) -> tuple[dict[str, Any], int]:
    """The arguments of ``fit`` as a recipe decides them, and its seed.

    Raises:
        TypeError: ``recipe`` is not a recipe.
        ValueError: an argument that the recipe stands for was given beside it.
    """
    if not isinstance(recipe, Recipe):
        raise TypeError(f"recipe= takes a Recipe; got {type(recipe).__qualname__}")
    twice = [name for name, default in _DEFAULTS.items() if given[name] != default]
    if seed not in (0, recipe.seed):
        twice.append("seed")
    if twice:
        raise ValueError(
            f"{twice[0]} was given beside a recipe, which holds it already. Use "
            f"recipe.replace({twice[0]}=...), or leave the recipe out"
        )
    return {
        **given,
        "batch_size": recipe.batch_size,
        "epochs": recipe.epochs,
        "callbacks": make_callbacks(recipe),
        "class_weight": None if recipe.class_weight is None else dict(recipe.class_weight),
        "shuffle": recipe.shuffle,
        "validation_batch_size": given["validation_batch_size"] or RECIPE_VALIDATION_BATCH,
    }, recipe.seed


def compile_anew(model: Any, recipe: Recipe) -> None:
    """Compile a model as a recipe says; say so where it was compiled before."""
    if model.compiled:
        warnings.warn(
            "the recipe compiles the model anew: what it was compiled with, and the state of its optimizer, "
            "are not used. Leave the recipe out to train the model as it was compiled",
            RecipeCompilesWarning,
            stacklevel=3,
        )
    compile_model(model, recipe)
