"""An LSTM over word ids, as in the guide on text classification."""

import keras
from keras import layers


def build_model(vocabulary=200, length=12):
    inputs = keras.Input(shape=(None,), dtype="int32")
    x = layers.Embedding(vocabulary, 8, mask_zero=True)(inputs)
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)
    x = layers.Bidirectional(layers.LSTM(4))(x)
    outputs = layers.Dense(1, activation="sigmoid")(x)
    model = keras.Model(inputs, outputs)
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model
