"""A layer in half precision throughout, with a weight penalty."""

import keras
from keras import layers


def build_model():
    half = layers.Dense(3, kernel_regularizer="l2", dtype="bfloat16", name="half")
    return keras.Sequential([keras.Input((4,)), half, layers.Dense(1, name="last")])


# named: exception of sequential/half
