"""A stateful recurrent layer over parts of a long sequence, one part a batch."""

import keras
from keras import layers


def build_model():
    inputs = keras.Input(batch_shape=(4, 6, 3))
    x = layers.SimpleRNN(5, stateful=True, name="memory")(inputs)
    return keras.Model(inputs, layers.Dense(1)(x))


# named: training of memory
