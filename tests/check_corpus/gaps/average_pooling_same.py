"""Average pooling with padding and a kernel of 3 with strides of 2."""

import keras
from keras import layers


def build_model():
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, name="conv")(inputs)
    x = layers.AveragePooling2D(3, strides=2, padding="same", name="pool")(x)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(layers.Conv2D(2, 1)(x)))


# named: forward of pool
