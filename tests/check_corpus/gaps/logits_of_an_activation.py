"""A sigmoid and from_logits=True together: what is written differs from what TensorFlow computes."""

import keras
from keras import layers


def build_model():
    out = layers.Dense(1, activation="sigmoid", name="probability")
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), out])
    model.compile("sgd", keras.losses.BinaryCrossentropy(from_logits=True))
    return model


# named: loss of binary_crossentropy
