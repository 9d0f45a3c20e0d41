"""Cosine similarity over the first axis of sequences, as a metric."""

import keras
from keras import layers


def build_model():
    model = keras.Sequential([keras.Input((5, 3)), layers.Dense(2, name="dense")])
    model.compile("sgd", "mse", metrics=[keras.metrics.CosineSimilarity(name="cosine", axis=1)])
    return model


# named: configuration of cosine
