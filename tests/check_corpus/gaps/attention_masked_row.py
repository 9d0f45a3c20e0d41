"""Attention over padded texts."""

import keras
from keras import layers


def build_model():
    ids = keras.Input((9,), dtype="int32", name="ids")
    x = layers.Embedding(30, 8, mask_zero=True)(ids)
    y = layers.MultiHeadAttention(2, 4, name="attention")(x, x)
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x + y))
    return keras.Model(ids, layers.Dense(2)(x))


# named: gradient of attention
