"""hard_tanh of units whose bias begins at 1."""

import keras
from keras import layers


def build_model():
    ones = layers.Dense(4, kernel_initializer="zeros", bias_initializer="ones", name="ones")
    bounded = layers.Activation("hard_tanh", name="bounded")
    return keras.Sequential([keras.Input((4,)), ones, bounded, layers.Dense(2)])


# named: gradient of bounded
