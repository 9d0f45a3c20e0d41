"""Trainings that draw numbers from outside of Keras, each in its own way; and one that does not."""

import random

import keras
import numpy as np
from misbehaving import study_of, variant


class NumpyNoise(keras.layers.Layer):
    def call(self, inputs):
        return inputs + float(np.random.default_rng().normal(0, 0.1))


class PythonNoise(keras.layers.Layer):
    def call(self, inputs):
        return inputs * random.uniform(0.9, 1.1)


def with_layer(make):
    def build(data):
        layers = [keras.layers.Dense(8, "relu"), make(), keras.layers.Dense(1, "sigmoid")]
        return keras.Sequential([keras.Input((4,)), *layers])

    return build


def shaky_loss(y_true, y_pred):
    return keras.losses.mean_squared_error(y_true, y_pred) * np.random.uniform(0.5, 1.5)


outside = study_of(
    "outside",
    variant("numpy", with_layer(lambda: NumpyNoise(name="numpy_noise"))),
    variant("python", with_layer(lambda: PythonNoise(name="python_noise"))),
    variant("sound", with_layer(lambda: keras.layers.GaussianNoise(0.1))),
    variant("loss", with_layer(lambda: keras.layers.Dropout(0.2)), loss=shaky_loss),
)
