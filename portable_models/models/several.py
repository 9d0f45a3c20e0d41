"""A model with several inputs, several outputs, and a weighted sum of several losses."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import keras
from keras import layers

from portable_models import names

SEVERAL_LOSSES: Mapping[str, str] = MappingProxyType(
    {"price": "mean_squared_error", "style": "categorical_crossentropy"}
)
"""The loss of each output of :func:`several_inputs_outputs`."""

SEVERAL_LOSS_WEIGHTS: Mapping[str, float] = MappingProxyType({"price": 0.25, "style": 1.0})
"""The factor of each output's loss in the sum."""


def several_inputs_outputs(
    measurements: int = 8,
    districts: int = 4,
    styles: int = 3,
    *,
    units: int = 16,
    name: str = "several",
) -> keras.Model:
    """A house's price and style from its measurements and its district.

    Args:
        measurements: how many numbers describe a house.
        districts: how many districts there are.
        styles: how many styles there are.
        units: width of the hidden layer behind each input, and of the shared one.
        name: the model's name.

    Returns:
        A new, uncompiled model. It takes a dict of float32, ``measurements`` of shape
        ``(n, measurements)`` and ``district`` of shape ``(n, districts)``. It gives a dict, ``price`` of
        shape ``(n, 1)`` and ``style``, probabilities of shape ``(n, styles)``.
    """
    numbers = layers.Input((measurements,), name="measurements")
    district = layers.Input((districts,), name="district")
    both = layers.Concatenate(name="both")(
        [
            layers.Dense(units, activation="relu", name="hidden_measurements")(numbers),
            layers.Dense(units, activation="relu", name="hidden_district")(district),
        ]
    )
    shared = layers.Dense(units, activation="relu", name="shared")(both)
    return keras.Model(
        {"measurements": numbers, "district": district},
        {
            "price": layers.Dense(1, name="price")(shared),
            "style": layers.Dense(styles, activation="softmax", name="style")(shared),
        },
        name=name,
    )


def several_compiled(*, optimizer: Any = "sgd", **architecture: Any) -> keras.Model:
    """:func:`several_inputs_outputs`, compiled with its weighted losses and one metric per output.

    Args:
        optimizer: a name, config or object.
        **architecture: arguments of :func:`several_inputs_outputs`.

    Raises:
        UnknownNameError: the optimizer's name stands for none.
    """
    model = several_inputs_outputs(**architecture)
    model.compile(
        optimizer=names.optimizer(optimizer),
        loss=dict(SEVERAL_LOSSES),
        loss_weights=dict(SEVERAL_LOSS_WEIGHTS),
        metrics={"price": ["mae"], "style": ["categorical_accuracy"]},
    )
    return model
