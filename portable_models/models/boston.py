"""The regressor of Boston house prices."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers


def boston_regressor(
    features: int = 13, units: Sequence[int] = (64, 64), *, name: str = "boston_regressor"
) -> keras.Model:
    """A regressor of one number: hidden relu layers, and one linear unit.

    Args:
        features: how many features a row has.
        units: width of each hidden layer.
        name: the model's name.

    Returns:
        A new, uncompiled model from float32 ``(n, features)``, standardised, to ``(n, 1)``,
        thousands of dollars. Its layers are ``hidden_1`` … and ``price``.
    """
    hidden = [
        layers.Dense(width, activation="relu", name=f"hidden_{number}")
        for number, width in enumerate(units, start=1)
    ]
    return keras.Sequential(
        [layers.Input((features,), name="features"), *hidden, layers.Dense(1, name="price")],
        name=name,
    )
