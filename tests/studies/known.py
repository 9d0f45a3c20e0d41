"""Trainings in which one backend does otherwise, as is known of it."""

import keras
from misbehaving import study_of, variant


class Words(keras.layers.Layer):
    """Three words from the signs of four numbers, so that words come several times in a batch."""

    def __init__(self):
        super().__init__()
        self.embedding = keras.layers.Embedding(3, 4)

    def call(self, inputs):
        return self.embedding(keras.ops.cast(keras.ops.sign(inputs) + 1.0, "int32"))


def build_of_words(data):
    layers = [Words(), keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")]
    return keras.Sequential([keras.Input((4,)), *layers])


def build_normalised(data):
    dense = keras.layers.Dense(4, activation="relu")
    layers = [keras.layers.SpectralNormalization(dense, name="spectral")]
    return keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1, "sigmoid")])


study = study_of(
    "known",
    variant("words", build_of_words, optimizer="adam"),
    variant("normalised", build_normalised, optimizer="sgd"),
)
