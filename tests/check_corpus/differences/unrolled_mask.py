import keras
from keras import layers, ops


# differs: lstm, tensorflow
def build_model():
    ids = keras.Input((6,), dtype="int32")
    x = layers.Embedding(12, 4, mask_zero=True)(ids)
    x = layers.LSTM(5, unroll=True, name="lstm")(x)
    return keras.Model(ids, layers.Dense(1)(x))
