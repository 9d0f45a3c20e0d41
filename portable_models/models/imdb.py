"""The IMDB classifier, and every variant of it that the regularization study compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras
from keras import layers

from portable_models import names


def imdb_classifier(
    units: Sequence[int] = (16, 16),
    *,
    dimension: int = 10_000,
    kernel_regularizer: Any = None,
    activity_regularizer: Any = None,
    dropout: float = 0.0,
    name: str = "imdb_classifier",
) -> keras.Model:
    """A classifier of film reviews: hidden relu layers, and one sigmoid.

    Args:
        units: width of each hidden layer.
        dimension: length of a review's multi-hot vector.
        kernel_regularizer: penalty on each hidden layer's kernel: a name, config or object, or
            None.
        activity_regularizer: penalty on each hidden layer's output, summed and divided by the
            number of samples in the batch; a name, config or object, or None.
        dropout: share of each hidden layer's outputs that is dropped in training, in [0, 1).
        name: the model's name.

    Returns:
        A new, uncompiled model from float32 ``(n, dimension)`` to probabilities ``(n, 1)``. Its
        layers are ``hidden_1``, ``dropout_1`` (where there is dropout), ``hidden_2`` … and
        ``probability``.

    Raises:
        UnknownNameError: a regularizer's name stands for none.
        ValueError: a width or the dropout is out of range.
    """
    stack = [layers.Input((dimension,), name="words")]
    for number, width in enumerate(units, start=1):
        stack.append(
            layers.Dense(
                width,
                activation="relu",
                kernel_regularizer=_regularizer(kernel_regularizer),
                activity_regularizer=_regularizer(activity_regularizer),
                name=f"hidden_{number}",
            )
        )
        if dropout:
            stack.append(layers.Dropout(dropout, name=f"dropout_{number}"))
    stack.append(layers.Dense(1, activation="sigmoid", name="probability"))
    return keras.Sequential(stack, name=name)


def _regularizer(identifier: Any) -> Any:
    return None if identifier is None else names.regularizer(identifier)


def _penalty(name: str, **factors: float) -> Mapping[str, Any]:
    return MappingProxyType({"class_name": name, "config": MappingProxyType(factors)})


REGULARIZATION_VARIANTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "original": MappingProxyType({}),
        "smaller": MappingProxyType({"units": (4, 4)}),
        "l2": MappingProxyType({"kernel_regularizer": _penalty("L2", l2=0.001)}),
        "l1": MappingProxyType({"kernel_regularizer": _penalty("L1", l1=0.001)}),
        "l1_l2": MappingProxyType({"kernel_regularizer": _penalty("L1L2", l1=0.001, l2=0.001)}),
        "activity_l2": MappingProxyType({"activity_regularizer": _penalty("L2", l2=0.001)}),
        "dropout": MappingProxyType({"dropout": 0.5}),
        "larger": MappingProxyType({"units": (512, 512)}),
    }
)
"""Arguments of :func:`imdb_classifier` for each variant of the regularization study."""


def regularization_variant(variant: str, *, dimension: int = 10_000) -> keras.Model:
    """The IMDB classifier of one variant, named after it.

    Args:
        variant: a key of ``REGULARIZATION_VARIANTS``.
        dimension: length of a review's multi-hot vector.

    Raises:
        ValueError: there is no such variant.
    """
    if variant not in REGULARIZATION_VARIANTS:
        raise ValueError(
            f"unknown regularization variant {variant!r}; "
            f"one of {', '.join(REGULARIZATION_VARIANTS)}"
        )
    arguments = REGULARIZATION_VARIANTS[variant]
    return imdb_classifier(dimension=dimension, name=f"imdb_{variant}", **arguments)
