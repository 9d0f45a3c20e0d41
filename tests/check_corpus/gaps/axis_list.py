"""The length of a vector as an operation of a Functional model."""

import keras
from keras import layers, ops


def build_model():
    inputs = keras.Input((4,))
    x = layers.Dense(3, name="first")(inputs)
    return keras.Model(inputs, layers.Dense(2)(ops.norm(x, axis=-1, keepdims=True)))


# named: exception of Norm
