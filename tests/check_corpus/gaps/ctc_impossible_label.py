"""Connectionist temporal classification of texts, one of which is too long for its time steps."""

import keras
import numpy as np
from keras import layers


def build_model():
    inputs = keras.Input((4, 3))
    model = keras.Model(inputs, layers.Dense(4, name="characters")(inputs))
    model.compile("sgd", keras.losses.CTC())
    return model


def example_targets(rng, batch):
    labels = rng.integers(1, 4, (batch, 3)).astype("int32")
    labels[0] = 1  # a letter that repeats needs a blank between: five steps, of which there are four
    return np.ascontiguousarray(labels)


# named: loss of ctc
