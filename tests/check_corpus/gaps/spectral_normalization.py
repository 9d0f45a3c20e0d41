"""A discriminator's Dense layer under SpectralNormalization."""

import keras
from keras import layers


def build_model():
    first = layers.SpectralNormalization(layers.Dense(5), name="spectral")
    return keras.Sequential([keras.Input((4,)), first, layers.ReLU(), layers.Dense(1)])


# named: gradient of sequential/spectral
