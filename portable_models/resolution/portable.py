"""Crossentropies of Keras that differ between backends, and what is equal on all of them instead."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import keras

from portable_models._keras.loss_functions import get_wrapped_arguments, get_wrapped_function
from portable_models.resolution.catalogue import LOSS, METRIC, Kind, classes, fold
from portable_models.resolution.errors import ArgumentsError

_SUFFIX = "OfProbabilities"
_DIFFERENT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "loss": (
            "BinaryCrossentropy",
            "BinaryFocalCrossentropy",
            "CategoricalCrossentropy",
            "SparseCategoricalCrossentropy",
        ),
        "metric": (
            "BinaryCrossentropy",
            "CategoricalCrossentropy",
            "SparseCategoricalCrossentropy",
        ),
    }
)
"""Kind -> Keras's classes that look behind a sigmoid or softmax on TensorFlow."""

_FUNCTIONS: Mapping[Callable[..., Any], str] = MappingProxyType(
    {
        keras.losses.binary_crossentropy: "BinaryCrossentropy",
        keras.losses.binary_focal_crossentropy: "BinaryFocalCrossentropy",
        keras.losses.categorical_crossentropy: "CategoricalCrossentropy",
        keras.losses.sparse_categorical_crossentropy: "SparseCategoricalCrossentropy",
    }
)


def different(kind: Kind, value: Any) -> str | None:
    """The name of Keras's class that a value computes and that differs between backends, or None.

    Args:
        kind: loss or metric; others do not differ.
        value: an object, function or partial. With ``from_logits=True`` Keras's crossentropies are equal
            on all backends, but for the focal one, which takes the sigmoid itself.
    """
    function, arguments = _function_of(value)
    if function is not None:
        name = _FUNCTIONS[function]
        return None if _is_sound(name, arguments) else name
    if kind in (LOSS, METRIC):
        for name in _DIFFERENT[kind.noun]:
            if type(value) is getattr(_module(kind), name):
                return None if _is_sound(name, vars(value)) else name
    return None


def portable(kind: Kind, value: Any) -> Any:
    """What computes the same as ``value`` and is equal on every backend; ``value`` itself where it is.

    Names, reductions, dtypes and all other arguments are kept. Objects of subclasses stay as they are.

    Raises:
        ArgumentsError: a partial holds arguments that the function does not take.
    """
    if kind is METRIC and isinstance(value, keras.losses.Loss):
        return portable(LOSS, value)
    name = different(kind, value)
    if name is None:
        return value
    function, arguments = _function_of(value)
    if function is None:
        return classes(kind)[fold(name + _SUFFIX)](**complete_config(value), dtype=_dtype(value))
    label = getattr(value, "name", function.__name__)
    try:
        if kind is LOSS:
            return classes(LOSS)[fold(name + _SUFFIX)](**{"name": label, **arguments})
        inspect.signature(function).bind(None, None, **arguments)
    except TypeError as error:
        raise ArgumentsError(
            f"{function.__name__} does not take these arguments: {error}"
        ) from None
    dtype = {"dtype": _dtype(value)} if isinstance(value, keras.metrics.Metric) else {}
    return classes(METRIC)[fold("MeanOfProbabilities")](
        _portable_function(function), name=label, **dtype, **arguments
    )


def complete_config(value: Any) -> dict[str, Any]:
    """``value.get_config()`` with the arguments that Keras leaves out of it.

    Those are delta of the loss Huber and some axes (entries "loss-config" and "cosine-metric-config" of
    known_gaps.toml; this can go with them).
    """
    config = {key: each for key, each in value.get_config().items() if key != "dtype"}
    if isinstance(value, keras.losses.Loss | keras.metrics.Metric):
        parameters = inspect.signature(type(value).__init__).parameters
        for key, each in get_wrapped_arguments(value).items():
            if key in parameters:
                config.setdefault(key, each)
    return config


def _function_of(value: Any) -> tuple[Callable[..., Any] | None, Mapping[str, Any]]:
    """The crossentropy function that a value calls directly, and with which arguments."""
    arguments: Mapping[str, Any] = {}
    if type(value) is keras.metrics.MeanMetricWrapper:
        value, arguments = get_wrapped_function(value), get_wrapped_arguments(value)
    elif isinstance(value, functools.partial) and not value.args:
        value, arguments = value.func, value.keywords
    known = inspect.isfunction(value) and value in _FUNCTIONS
    return (value, arguments) if known else (None, {})


def _is_sound(name: str, arguments: Mapping[str, Any]) -> bool:
    return bool(arguments.get("from_logits")) and name != "BinaryFocalCrossentropy"


def _portable_function(function: Callable[..., Any]) -> Any:
    # Imported here, since importing the losses imports this.
    home = importlib.import_module("portable_models.losses.of_probabilities")
    return getattr(home, f"{function.__name__}_of_probabilities")


def _module(kind: Kind) -> Any:
    return keras.losses if kind is LOSS else keras.metrics


def _dtype(value: Any) -> Any:
    return value.dtype
