"""selu as the activation of a Dense layer whose units begin at zero."""

import keras
from keras import layers


def build_model():
    first = layers.Dense(4, kernel_initializer="zeros", activation="selu", name="first")
    return keras.Sequential([keras.Input((4,)), first, layers.Dense(2)])


# named: gradient of sequential/first
