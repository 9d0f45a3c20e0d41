import keras
from keras import layers


class Scale(layers.Layer):  # here
    def call(self, x):
        return x * 2.0


def build_model():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3), Scale()])
