"""LeakyReLU behind units that are exactly zero."""

import keras
from keras import layers


def build_model():
    zero = layers.Dense(4, kernel_initializer="zeros", name="zero")
    leaky = layers.LeakyReLU(0.3, name="leaky")
    return keras.Sequential([keras.Input((4,)), zero, leaky, layers.Dense(2)])


# named: gradient of leaky
