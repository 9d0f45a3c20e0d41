"""Two outputs, each with a loss of its own."""

import keras
from keras import layers


def build_model():
    inputs = keras.Input((4,))
    x = layers.Dense(5, activation="tanh")(inputs)
    outputs = {name: layers.Dense(1, name=name)(x) for name in ("price", "area")}
    model = keras.Model(inputs, outputs)
    model.compile("sgd", {"price": "mse", "area": "mae"})
    return model


# named: metric of area_loss
