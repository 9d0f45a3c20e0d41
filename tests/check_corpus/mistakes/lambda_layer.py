import keras
from keras import layers


def build_model():
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(3), layers.Lambda(lambda x: x * 2.0)]
    )  # here
