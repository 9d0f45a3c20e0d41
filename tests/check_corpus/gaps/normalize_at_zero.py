"""Embeddings normalised to length 1, of which one is zero."""

import keras
from keras import layers


def build_model():
    zero = layers.Dense(4, kernel_initializer="zeros", name="zero")
    unit = layers.UnitNormalization(name="unit")
    return keras.Sequential([keras.Input((4,)), zero, unit, layers.Dense(2)])


# named: gradient of unit
