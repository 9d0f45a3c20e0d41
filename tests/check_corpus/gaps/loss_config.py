"""A regression compiled with a Huber loss that is not the default one."""

import keras
from keras import layers


def build_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, name="dense")])
    model.compile("sgd", keras.losses.Huber(delta=0.1))
    return model


# named: configuration of Huber
