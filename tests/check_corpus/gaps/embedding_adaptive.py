"""Words that come more than once in a batch, trained by Adam."""

import keras
from keras import layers


def build_model():
    inputs = keras.Input((6,), dtype="int32")
    x = layers.Embedding(5, 4, name="words")(inputs)
    x = layers.Dense(3, activation="tanh")(layers.GlobalAveragePooling1D()(x))
    model = keras.Model(inputs, layers.Dense(1)(x))
    model.compile(keras.optimizers.Adam(0.05), "mse")
    return model


# named: optimizer of words
