import keras
from keras import layers, ops


# differs: multi_head_attention, torch
def build_model():
    ids = keras.Input((9,), dtype="int32", name="ids")
    x = layers.Embedding(30, 8, mask_zero=True)(ids)
    y = layers.MultiHeadAttention(2, 4)(x, x)
    x = layers.LayerNormalization()(x + y)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(ids, layers.Dense(2)(x))
