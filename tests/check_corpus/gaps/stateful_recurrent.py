"""A stateful LSTM over parts of a long sequence."""

import keras
from keras import layers


def build_model():
    inputs = keras.Input(batch_shape=(4, 6, 3))
    x = layers.LSTM(5, stateful=True, name="memory")(inputs)
    return keras.Model(inputs, layers.Dense(1)(x))


# named: exception of memory
