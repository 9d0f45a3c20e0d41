"""The study of the self-test: small networks that together use everything a fault can be planted in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np

from portable_models.data import ArraySamples, DataSet
from portable_models.experiments import Experiment, KFold, ValidateOnTest, Variant
from portable_models.training.recipe import Recipe

ROWS, TEST_ROWS, FEATURES = 90, 48, 6
"""Batches of 16 leave a last one of 10."""

SCHEDULE = keras.optimizers.schedules.ExponentialDecay(0.05, decay_steps=4, decay_rate=0.8)
# Written out, since a planted fault must be in the optimizer and not in what is asked for.
SGD = {
    "class_name": "SGD",
    "config": {
        "learning_rate": keras.saving.serialize_keras_object(SCHEDULE),
        "momentum": 0.9,
        "nesterov": True,
        "clipnorm": 0.02,
    },
}
ADAMW = {"class_name": "AdamW", "config": {"weight_decay": 0.1}}
RECIPE = Recipe(
    optimizer="rmsprop",
    loss="binary_crossentropy",
    metrics=("accuracy",),
    epochs=3,
    batch_size=16,
)


def load(source: str, trust: bool) -> DataSet:
    """Points, and on which side of a bent surface they lie."""
    del trust
    rng = np.random.default_rng(11)
    x = rng.normal(3.0, 2.0, size=(ROWS + TEST_ROWS, FEATURES)).astype("float32")
    side = x[:, 0] - 0.2 * x[:, 1] ** 2 + 0.5 * x[:, 2] + rng.normal(0, 1.0, len(x))
    y = (side > np.median(side)).astype("float32")
    parts = (ArraySamples(x[:ROWS], y[:ROWS]), ArraySamples(x[ROWS:], y[ROWS:]))
    return DataSet("points", source, *parts, "made-up points on two sides of a bent surface")


def build(
    data: DataSet,
    middle: Callable[[], list[Any]] = list,
    penalty: str | None = None,
    activation: str = "relu",
    offset: float = 0.0,
) -> Any:
    """A hidden layer, what is tried, and a sigmoid."""
    del data
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((FEATURES,)),
            layers.Rescaling(0.2, offset),
            layers.Dense(16, activation, kernel_regularizer=penalty),
            *middle(),
            layers.Dense(1, "sigmoid"),
        ]
    )


def _norm() -> list[Any]:
    return [keras.layers.BatchNormalization(), keras.layers.LeakyReLU(negative_slope=0.2)]


def _dropout() -> list[Any]:
    return [keras.layers.Dropout(rate=0.3)]


def _variant(name: str, *, build: Any = build, procedure: Any = None, **settings: Any) -> Variant:
    return Variant(
        name=name,
        title=name,
        build=build,
        recipe=RECIPE.replace(**settings),
        procedure=procedure or ValidateOnTest(),
    )


study = Experiment(
    name="selftest",
    title="Everything that a fault can be planted in",
    description="Small networks; each is trained once as it should be, and once for each fault.",
    load=load,
    variants=(
        _variant("rmsprop"),
        _variant("adam", optimizer="adam"),
        _variant("sgd", optimizer=SGD),
        _variant("adamw", optimizer=ADAMW),
        _variant("penalty", build=partial(build, penalty="l2")),
        _variant("weighted", class_weight={0: 1.0, 1: 3.0}),
        # Not after ReLU: normalized, the outputs of a dead unit are exactly 0, where the backends
        # differ by definition in the derivative of LeakyReLU. And centred: far from zero, the variance that
        # Keras has on PyTorch, a difference of means of squares, loses digits that the others keep.
        _variant("norm", build=partial(build, middle=_norm, activation="tanh", offset=-0.6)),
        _variant("dropout", build=partial(build, middle=_dropout)),
        _variant("folds", procedure=KFold(3, "once", metric="accuracy")),
    ),
)
