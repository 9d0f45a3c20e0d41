"""Images resized with bicubic interpolation before a small network."""

import keras
from keras import layers


def build_model():
    inputs = keras.Input((9, 9, 3))
    x = layers.Resizing(5, 4, interpolation="bicubic", name="resize")(inputs)
    x = layers.Conv2D(2, 3, name="conv")(x)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


# named: forward of resize
