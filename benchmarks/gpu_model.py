"""A model whose kernels differ most between a CPU and a card, for ``portable check`` in gpu.sh."""

import keras
from keras import layers


def build_model() -> keras.Model:
    """A compiled classifier of images of shape (16, 16, 3), float32, into five classes."""
    image = keras.Input((16, 16, 3))
    x = layers.Conv2D(8, 3, padding="same", strides=2)(image)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("gelu")(x)
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Reshape((16, 8))(x)
    x = layers.MultiHeadAttention(2, 4)(x, x)
    x = layers.LayerNormalization()(x)
    x = layers.GRU(8)(x)
    x = layers.Dropout(0.2)(x)
    model = keras.Model(image, layers.Dense(5, activation="softmax")(x))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model
