"""Outputs that are to be orthogonal to each other."""

import keras
from keras import layers


def build_model():
    penalty = keras.regularizers.OrthogonalRegularizer(0.01)
    first = layers.Dense(3, activity_regularizer=penalty, name="orthogonal")
    return keras.Sequential([keras.Input((4,)), first, layers.Dense(1)])


# named: exception of sequential/orthogonal
