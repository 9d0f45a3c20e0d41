"""Arguments of ``compile`` in every spelling that Keras takes, as objects that are equal on every backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from portable_models.resolution.catalogue import LOSS, METRIC, OPTIMIZER, classes, fold
from portable_models.resolution.identifiers import resolve

_CHOSEN_BY_SHAPE = {"loss": ("crossentropy", "ce"), "metric": ("accuracy", "acc")}
"""What Keras's ``compile`` chooses by the shapes of targets and outputs, in any case of letters."""


def resolve_loss(given: Any) -> Any:
    """The ``loss`` of ``compile``, in the structure in which it is given.

    Args:
        given: None, a name or alias (``"bce"``, ``"BinaryCrossentropy"``), a config as
            ``keras.losses.serialize`` gives it, a class, an object, a function, a ``functools.partial``,
            any other callable; or a list or dict of these, with None for outputs without a loss.

    Returns:
        Objects of ``keras.losses.Loss``, or the user's own callables, in lists and dicts. Crossentropies of
        Keras that differ between backends are those of ``portable_models.losses``, with all arguments kept.

    Raises:
        UnknownNameError: something stands for no loss.
        ArgumentsError: a loss is not made with these arguments.

    Example:
        >>> type(resolve_loss({"price": "mse", "style": "bce"})["style"]).__name__
        'BinaryCrossentropyOfProbabilities'
    """
    if given is None:
        return None
    if isinstance(given, Mapping) and "class_name" not in given:
        return {key: resolve_loss(each) for key, each in given.items()}
    if isinstance(given, list | tuple):
        return [resolve_loss(each) for each in given]
    if isinstance(given, str) and given.lower() in _CHOSEN_BY_SHAPE["loss"]:
        return classes(LOSS)[fold("CrossentropyByShape")](name=given)
    return resolve(LOSS, given, {})


def resolve_metrics(given: Any) -> Any:
    """The ``metrics`` or ``weighted_metrics`` of ``compile``, in the structure in which they are given.

    Args:
        given: None or nothing; one metric, or a list or dict of metrics, or of lists of them, in the
            spellings of :func:`resolve_loss`. ``"accuracy"`` stays a name: Keras chooses it by shapes.

    Returns:
        None, or a list or dict. A metric that is given by name has this name in a history, as in Keras.

    Raises:
        UnknownNameError: something stands for no metric.
        ArgumentsError: a metric is not made with these arguments, or needs some.

    Example:
        >>> [metric.name for metric in resolve_metrics(["kld", "MeanSquaredError"])]
        ['kld', 'MeanSquaredError']
    """
    if given is None or (isinstance(given, list | tuple | Mapping) and not given):
        return None
    found = _metrics(given)
    return found if isinstance(found, list | dict) else [found]


def _metrics(given: Any) -> Any:
    if given is None:
        return None
    if isinstance(given, Mapping) and "class_name" not in given:
        return {key: _metrics(each) for key, each in given.items()}
    if isinstance(given, list | tuple):
        return [_metrics(each) for each in given]
    if not isinstance(given, str):
        return resolve(METRIC, given, {})
    if given.lower() in _CHOSEN_BY_SHAPE["metric"]:
        return given
    made = resolve(METRIC, given, {})
    if not isinstance(made, keras.metrics.Metric):
        return keras.metrics.MeanMetricWrapper(made, name=given)
    made.name = given
    return made


def resolve_optimizer(given: Any) -> Any:
    """The ``optimizer`` of ``compile``: an object, from a name, config or class; an object stays the same.

    Raises:
        UnknownNameError: it stands for no optimizer.
        ArgumentsError: the optimizer is not made with these arguments. ``lr`` and ``decay`` of Keras 2 are
            told by their names in Keras 3.

    Example:
        >>> type(resolve_optimizer("lamb")).__name__
        'Lamb'
    """
    return resolve(OPTIMIZER, given, {})
