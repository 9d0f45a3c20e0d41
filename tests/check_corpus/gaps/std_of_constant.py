"""The spread of a layer's units as a feature, which begin all alike."""

import keras
from keras import layers, ops


def build_model():
    inputs = keras.Input((4,))
    x = layers.Dense(4, kernel_initializer="zeros", name="alike")(inputs)
    return keras.Model(inputs, layers.Dense(2)(ops.std(x, axis=-1, keepdims=True)))


# named: gradient of std
