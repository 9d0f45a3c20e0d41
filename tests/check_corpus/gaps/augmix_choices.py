"""AugMix as the first layer of a model."""

import keras
from keras import layers


def build_model():
    images = keras.Input((8, 8, 3))
    x = layers.AugMix(value_range=(0, 1), seed=1, name="mix")(images)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3, name="conv")(x))
    return keras.Model(images, layers.Dense(1)(x))


# named: exception of mix
