"""From names to objects: the one place that reads ``"mse"``, ``"Adam"`` or a config.

The same name gives the same mathematics on every backend; which class Keras picks for a backend (it
has optimizers of its own for torch) stays inside the object and does not reach a config.

A name is read without regard to case and underscores: ``"MeanSquaredError"``,
``"mean_squared_error"`` and ``"mse"`` are one loss. Crossentropies of Keras that differ between backends,
in whatever spelling, are those of :mod:`portable_models.losses` and :mod:`portable_models.metrics`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from portable_models._keras.serialization import serialized_without_tensorflow
from portable_models.resolution import ArgumentsError, UnknownNameError, catalogue
from portable_models.resolution.identifiers import portable_config, resolve, resolve_function
from portable_models.resolution.portable import complete_config

__all__ = [
    "ArgumentsError",
    "UnknownNameError",
    "constraint",
    "initializer",
    "known_names",
    "loss",
    "loss_function",
    "metric",
    "metric_function",
    "optimizer",
    "portable_config",
    "regularizer",
    "serialize",
]


def loss(identifier: Any, **arguments: Any) -> Any:
    """The loss that a name, config, class or object stands for.

    Args:
        identifier: ``"MeanSquaredError"``, ``"mean_squared_error"``, ``"mse"``, the registered name
            of a loss of your own, a Keras config, a class, an object, a function, a ``functools.partial``
            or any other callable. What is yours is returned as it is.
        arguments: what the class is made with; only with a name or class.

    Returns:
        A ``keras.losses.Loss``, or the user's own function. One made from an alias carries the
        alias as its name.

    Raises:
        UnknownNameError: it stands for no loss.
        ArgumentsError: the loss is not made with these arguments.

    Example:
        >>> loss("KLD").name
        'KLD'
        >>> loss("Huber", delta=2.0)(keras.ops.zeros((1, 1)), keras.ops.ones((1, 1))).shape == ()
        True
    """
    return resolve(catalogue.LOSS, identifier, arguments)


def metric(identifier: Any, **arguments: Any) -> Any:
    """The metric that a name, config, class or object stands for.

    ``"accuracy"`` alone is refused: Keras's ``compile`` makes another metric of it for each shape
    of target, so it names no object.

    Args:
        identifier: as for :func:`loss`.
        arguments: what the class is made with, e.g. ``num_classes`` of MeanIoU.

    Returns:
        A new ``keras.metrics.Metric``, or the user's own object or function.

    Raises:
        UnknownNameError: it stands for no metric.
        ArgumentsError: the metric is not made with these arguments, or needs some.

    Example:
        >>> metric("mae").name
        'mae'
        >>> metric("MeanIoU", num_classes=3).num_classes
        3
    """
    return resolve(catalogue.METRIC, identifier, arguments)


def optimizer(identifier: Any, **arguments: Any) -> Any:
    """The optimizer that a name, config, class or object stands for.

    A config written on another backend is read, whichever module it names.

    Args:
        identifier: as for :func:`loss`.
        arguments: what the class is made with, e.g. ``learning_rate``.

    Returns:
        A new ``keras.optimizers.Optimizer``, or the given object.

    Raises:
        UnknownNameError: it stands for no optimizer.
        ArgumentsError: the optimizer is not made with these arguments.

    Example:
        >>> serialize(optimizer("sgd", momentum=0.9))["module"]
        'keras.optimizers'
    """
    return resolve(catalogue.OPTIMIZER, identifier, arguments)


def regularizer(identifier: Any, **arguments: Any) -> Any:
    """The regularizer that a name, config, class or object stands for, as :func:`loss` reads them.

    Raises:
        UnknownNameError: it stands for no regularizer.
        ArgumentsError: the regularizer is not made with these arguments.
    """
    return resolve(catalogue.REGULARIZER, identifier, arguments)


def initializer(identifier: Any, **arguments: Any) -> Any:
    """The initializer that a name, config, class or object stands for, as :func:`loss` reads them.

    Raises:
        UnknownNameError: it stands for no initializer.
        ArgumentsError: the initializer is not made with these arguments.
    """
    return resolve(catalogue.INITIALIZER, identifier, arguments)


def constraint(identifier: Any, **arguments: Any) -> Any:
    """The constraint that a name, config, class or object stands for, as :func:`loss` reads them.

    Raises:
        UnknownNameError: it stands for no constraint.
        ArgumentsError: the constraint is not made with these arguments.
    """
    return resolve(catalogue.CONSTRAINT, identifier, arguments)


def loss_function(name: str) -> Callable[..., Any]:
    """Keras's loss function of this name or alias, without an object around it.

    It takes ``(y_true, y_pred)`` of shape ``(n, ...)`` and gives one value per sample.

    Raises:
        UnknownNameError: there is none.
    """
    function: Callable[..., Any] = resolve_function(catalogue.LOSS, name)
    return function


def metric_function(name: str) -> Callable[..., Any]:
    """Keras's metric function of this name or alias (``binary_accuracy``, ``"MAE"`` …).

    It takes ``(y_true, y_pred)`` of shape ``(n, ...)`` and gives one value per sample.

    Raises:
        UnknownNameError: there is none.
    """
    function: Callable[..., Any] = resolve_function(catalogue.METRIC, name)
    return function


def serialize(value: Any) -> Any:
    """The config of an object or function, the same whichever backend it is made on.

    It holds all arguments, those too that Keras leaves out (delta of the loss Huber).

    Returns:
        A dict that the function of its kind (:func:`loss` …) turns back into an equal object.

    Raises:
        TypeError: the object has no ``get_config``.
    """
    with serialized_without_tensorflow():
        config = portable_config(keras.saving.serialize_keras_object(value))
    if isinstance(value, keras.losses.Loss | keras.metrics.Metric):
        config["config"] = {**portable_config(complete_config(value)), **config["config"]}
    return config


def known_names() -> dict[str, tuple[str, ...]]:
    """The class names that can be said, sorted, by kind (``"loss"``, ``"metric"`` …)."""
    return {
        kind.noun: tuple(sorted({made.__name__ for made in catalogue.classes(kind).values()}))
        for kind in catalogue.KINDS
    }
