"""Trainings whose numbers cease to be finite: on every backend, or on some."""

import keras
from misbehaving import build, not_a_number, study_of, variant


class Spread(keras.layers.Layer):
    """The standard deviation of each row; its gradient at a constant row is NaN, or 0."""

    def call(self, inputs):
        return keras.ops.std(inputs, axis=-1, keepdims=True)


def build_on_constant_rows(data):
    constant = keras.layers.Dense(8, kernel_initializer="zeros", bias_initializer="ones")
    layers = [constant, Spread(name="spread"), keras.layers.Dense(1, activation="sigmoid")]
    return keras.Sequential([keras.Input((4,)), *layers])


def build_linear(data):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])


RUNS_AWAY = {"class_name": "SGD", "config": {"learning_rate": 1e30}}

plain = variant("plain", build)
everywhere = study_of(
    "everywhere",
    plain,
    variant("from_the_start", not_a_number, loss="mse"),
    variant("runs_away", build_linear, loss="mse", optimizer=RUNS_AWAY),
)
on_some = study_of("on_some", plain, variant("constant", build_on_constant_rows, optimizer="sgd"))
