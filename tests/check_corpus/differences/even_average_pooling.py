import keras
from keras import layers, ops


# differs: pool, torch
def build_model():
    inputs = keras.Input((7, 7, 2))
    x = layers.Conv2D(3, 1, name="conv")(inputs)
    x = layers.AveragePooling2D(4, strides=2, padding="same", name="pool")(x)
    return keras.Model(inputs, layers.Flatten()(x))
