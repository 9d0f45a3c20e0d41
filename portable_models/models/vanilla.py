"""A small binary classifier with everything that one tunes by hand as an argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import layers

from portable_models import names
from portable_models.resolution import resolve_loss, resolve_metrics


def vanilla(
    features: int = 8,
    *,
    units: int = 8,
    activation: str = "relu",
    dropout: float = 0.0,
    initializer: Any = "uniform",
    constraint: Any = 4.0,
    weight_constraint: float | None = None,
    name: str = "vanilla",
) -> keras.Model:
    """One hidden layer with a constraint on its kernel, dropout, and one sigmoid.

    Args:
        features: how many features a row has.
        units: width of the hidden layer.
        activation: its activation, ``"relu"`` or ``"linear"`` in the experiments.
        dropout: share of its outputs that is dropped in training, in [0, 1).
        initializer: of both kernels: a name, config or object.
        constraint: of the hidden kernel: the largest norm that a unit's incoming weights may have
            (MaxNorm), or a name, config or object, or None. See Srivastava et al., "Dropout",
            section 5.1, https://jmlr.org/papers/v15/srivastava14a.html
        weight_constraint: the largest norm under its published name, instead of ``constraint``. The
            published default of 0 means what it means to Keras: the first update sets the kernel to 0.
        name: the model's name.

    Returns:
        A new, uncompiled model from float32 ``(n, features)`` to probabilities ``(n, 1)``. Its
        layers are ``hidden``, ``dropout`` and ``probability``.

    Raises:
        UnknownNameError: the initializer or the constraint stands for none.
        ValueError: a width, the dropout or the largest norm is out of range.
    """
    return keras.Sequential(
        [
            layers.Input((features,), name="features"),
            layers.Dense(
                units,
                activation=activation,
                kernel_initializer=names.initializer(initializer),
                kernel_constraint=(
                    _constraint(constraint)
                    if weight_constraint is None
                    else keras.constraints.MaxNorm(float(weight_constraint))
                ),
                name="hidden",
            ),
            layers.Dropout(dropout, name="dropout"),
            layers.Dense(
                1,
                activation="sigmoid",
                kernel_initializer=names.initializer(initializer),
                name="probability",
            ),
        ],
        name=name,
    )


def vanilla_compiled(
    *,
    optimizer: Any = "sgd",
    learning_rate: float | None = None,
    momentum: float = 0.0,
    loss: Any = "binary_crossentropy",
    metrics: Sequence[Any] | Mapping[str, Any] = ("binary_accuracy",),
    **architecture: Any,
) -> keras.Model:
    """:func:`vanilla`, compiled. Optimizer, loss and metrics are given as to a ``Recipe``.

    Args:
        optimizer: a name, config, class or object.
        learning_rate: of the optimizer, or None for its default; only with a name.
        momentum: of the optimizer, 0 for none; only with the name of one that has momentum.
        loss: in any spelling that Keras takes, as in a ``Recipe``.
        metrics: the same; ``"accuracy"`` too.
        **architecture: arguments of :func:`vanilla`.

    Raises:
        UnknownNameError: a name stands for nothing.
        ArgumentsError: the optimizer takes no momentum, or is no name but comes with arguments.
    """
    rates = {} if learning_rate is None else {"learning_rate": learning_rate}
    inertia = {"momentum": momentum} if momentum else {}
    model = vanilla(**architecture)
    model.compile(
        optimizer=names.optimizer(optimizer, **rates, **inertia),
        loss=resolve_loss(loss),
        metrics=resolve_metrics(metrics),
    )
    return model


def _constraint(identifier: Any) -> Any:
    if identifier is None:
        return None
    if isinstance(identifier, (int, float)):
        if identifier <= 0:
            raise ValueError(
                f"the largest norm of a kernel must be above 0; got {identifier}. "
                "None is no constraint; weight_constraint=0 keeps the kernel at 0, as published"
            )
        return keras.constraints.MaxNorm(float(identifier))
    return names.constraint(identifier)
