"""``model.compile`` as a recipe says, with objects made anew for each training."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import keras

from portable_models._keras.loss_functions import get_wrapped_arguments, get_wrapped_function
from portable_models.resolution import (
    ArgumentsError,
    resolve_loss,
    resolve_metrics,
    resolve_optimizer,
)
from portable_models.resolution.portable import complete_config
from portable_models.training.recipe import Recipe


def compile_model(model: Any, recipe: Recipe) -> None:
    """``model.compile`` with the recipe's optimizer, loss and metrics, each made anew.

    Args:
        model: a Keras model.
        recipe: names, configs, classes, objects or functions, in every spelling that Keras takes.

    Raises:
        UnknownNameError: something stands for no loss, metric or optimizer.
        ArgumentsError: something is not made with these arguments, or an object cannot be made anew.
    """
    model.compile(
        optimizer=make_optimizer(recipe.optimizer),
        loss=resolve_loss(recipe.loss),
        metrics=resolve_metrics(_made_anew(recipe.metrics)),
        weighted_metrics=resolve_metrics(_made_anew(recipe.weighted_metrics)),
        loss_weights=_own(recipe.loss_weights),
    )


def make_optimizer(given: Any) -> Any:
    """A new optimizer from its name, config or class; of an object, one with the same settings.

    Raises:
        UnknownNameError: it stands for no optimizer.
        ArgumentsError: the optimizer is not made with these arguments.
    """
    made = resolve_optimizer(given)
    return _anew(made) if made is given else made


def _made_anew(metrics: Any) -> Any:
    """The metrics of a recipe; objects are replaced by equal ones without the state of earlier trainings."""
    if isinstance(metrics, Mapping):
        return {key: _made_anew(each) for key, each in metrics.items()}
    if isinstance(metrics, list | tuple):
        return [_made_anew(each) for each in metrics]
    return _anew(metrics) if isinstance(metrics, keras.metrics.Metric) else metrics


def _anew(value: Any) -> Any:
    if type(value) is keras.metrics.MeanMetricWrapper:
        # Its config holds the function by name, which only a registered function has.
        function, arguments = get_wrapped_function(value), get_wrapped_arguments(value)
        return type(value)(function, value.name, value.dtype, **arguments)
    config = {**complete_config(value), **value.get_config()}
    try:
        return type(value).from_config(config)
    except (TypeError, ValueError, NotImplementedError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ArgumentsError(
            f"{type(value).__name__} {value.name!r} cannot be made anew from its config, and a recipe makes "
            f"metrics and optimizers anew for each training: {reason}. Let its get_config() return what its "
            "__init__ takes, or give its class"
        ) from error


def _own(settings: Any) -> Any:
    """A copy that Keras may keep and change: it takes lists and dicts, not tuples and read-only maps."""
    if isinstance(settings, Mapping):
        return {key: _own(value) for key, value in settings.items()}
    if isinstance(settings, list | tuple):
        return [_own(value) for value in settings]
    return copy.copy(settings)
