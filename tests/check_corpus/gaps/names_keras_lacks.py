"""An optimizer by its name."""

import keras
from keras import layers


def build_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, name="dense")])
    model.compile(optimizer="lamb", loss="mse")
    return model


# named: exception of lamb
