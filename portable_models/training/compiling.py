"""Compile a model as a recipe says."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import keras

from portable_models.losses import (
    BinaryCrossentropyOfProbabilities,
    CategoricalCrossentropyOfProbabilities,
    SparseCategoricalCrossentropyOfProbabilities,
)
from portable_models.training.recipe import Named, Recipe

OF_PROBABILITIES = {
    "binary_crossentropy": BinaryCrossentropyOfProbabilities,
    "categorical_crossentropy": CategoricalCrossentropyOfProbabilities,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropyOfProbabilities,
}
"""Losses that Keras computes otherwise on TensorFlow for saturated outputs -> the same everywhere."""


def compile_model(model: Any, recipe: Recipe) -> None:
    """``model.compile`` with the recipe's optimizer, loss and metrics, each made anew."""
    model.compile(
        optimizer=make_optimizer(recipe.optimizer),
        loss=_losses(recipe.loss),
        metrics=_own(recipe.metrics) or None,
        loss_weights=_own(recipe.loss_weights),
    )


def _losses(given: Any) -> Any:
    """Losses by name as objects; crossentropies are those that are the same on every backend."""
    if isinstance(given, Mapping) and "class_name" not in given:
        return {key: _losses(value) for key, value in given.items()}
    if isinstance(given, (list, tuple)):
        return [_losses(value) for value in given]
    if isinstance(given, str) and given in OF_PROBABILITIES:
        return OF_PROBABILITIES[given]()
    return _own(given)


def make_optimizer(named: Named) -> Any:
    """A new optimizer from its name or config."""
    return keras.optimizers.get(named if isinstance(named, str) else _own(named))


def _own(settings: Any) -> Any:
    """A copy that Keras may keep and change: it takes lists and dicts, not tuples and read-only maps."""
    if isinstance(settings, Mapping):
        return {key: _own(value) for key, value in settings.items()}
    if isinstance(settings, (list, tuple)):
        return [_own(value) for value in settings]
    return copy.copy(settings)
