import keras
from keras import layers, ops


def build_model():
    ids = keras.Input((9,), dtype="int32", name="ids")
    keep = keras.Input((9,), dtype="bool", name="mask")
    x = layers.Embedding(30, 8)(ids)
    y = layers.MultiHeadAttention(2, 4)(x, x, attention_mask=ops.expand_dims(keep, 1))
    x = layers.LayerNormalization()(x + y)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model([ids, keep], layers.Dense(2)(x))
