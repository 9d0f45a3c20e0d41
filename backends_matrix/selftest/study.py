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
            layers.Rescaling(scale=0.2, offset=offset),
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


class Words(keras.layers.Layer):  # type: ignore[misc]  # keras has no complete types
    """Features as words between 0 and 7, most of which come several times."""

    def call(self, inputs: Any) -> Any:
        """Words, int32, of the inputs' shape."""
        return keras.ops.cast(keras.ops.clip(inputs, 0.0, 7.0), "int32")


class Gate(keras.layers.Layer):  # type: ignore[misc]  # keras has no complete types
    """Inputs times their softmax: a layer of one's own, made of operations."""

    def call(self, inputs: Any) -> Any:
        """Of the inputs' shape."""
        return inputs * keras.ops.softmax(inputs, axis=-1)


def build_of_words(data: DataSet) -> Any:
    """An embedding, its mean, and a layer whose weights are constrained."""
    del data
    layers = keras.layers
    dense = layers.Dense(8, "tanh", kernel_constraint=keras.constraints.MaxNorm(0.5))
    middle = [Words(), layers.Embedding(8, 4), layers.GlobalAveragePooling1D(), dense]
    return keras.Sequential([keras.Input((FEATURES,)), *middle, layers.Dense(1, "sigmoid")])


def _recurrent() -> list[Any]:
    layers = keras.layers
    long = layers.LSTM(units=4, return_sequences=True)
    return [layers.Reshape((8, 2)), long, layers.GRU(units=4)]


def _picture() -> list[Any]:
    layers = keras.layers
    convolution = layers.Conv2D(3, 3, padding="same")
    return [layers.Reshape((4, 4, 1)), convolution, layers.AveragePooling2D(2), layers.Flatten()]


def build_with_attention(data: DataSet) -> Any:
    """Attention over four steps, normalised, through gelu and a layer of one's own."""
    del data
    layers = keras.layers
    inputs = keras.Input((FEATURES,))
    x = layers.Dense(16, "tanh")(layers.Rescaling(scale=0.2)(inputs))
    x = layers.Reshape((4, 4))(x)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 2)(x, x))
    x = Gate()(layers.Activation("gelu")(x))
    return keras.Model(inputs, layers.Dense(1, "sigmoid")(layers.GlobalAveragePooling1D()(x)))


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
        _variant("recurrent", build=partial(build, middle=_recurrent, activation="tanh")),
        _variant("picture", build=partial(build, middle=_picture, activation="tanh")),
        _variant("attention", build=build_with_attention),
        # PyTorch refuses the crossentropy of what is no number.
        _variant("squares", build=build_with_attention, loss="mse"),
        # By SGD: adaptive optimizers treat an embedding otherwise on TensorFlow, which is a known gap.
        _variant("words", build=build_of_words, optimizer="sgd"),
        _variant("folds", procedure=KFold(3, "once", metric="accuracy")),
    ),
)
