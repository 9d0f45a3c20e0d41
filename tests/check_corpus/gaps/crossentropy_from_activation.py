"""A saturated sigmoid under binary crossentropy."""

import keras
from keras import layers


def build_model():
    bias = keras.initializers.Constant(-18.0)
    out = layers.Dense(1, bias_initializer=bias, activation="sigmoid", name="probability")
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), out])
    model.compile("sgd", "binary_crossentropy")
    return model


# named: loss of binary_crossentropy
