"""Augmented images beside the images themselves, as contrastive training has them."""

import keras
from keras import layers


def build_model():
    images = keras.Input((6, 6, 3))
    scaled = layers.Rescaling(1.0)(images)
    brighter = layers.RandomBrightness(0.3, value_range=(0, 1), seed=1, name="brighter")(scaled)
    both = layers.Concatenate()([scaled, brighter])
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3, name="conv")(both))
    return keras.Model(images, layers.Dense(1)(x))


# named: forward of brighter
