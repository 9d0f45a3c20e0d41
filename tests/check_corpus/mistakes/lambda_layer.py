import keras
from keras import layers


def build_model():
    double = layers.Lambda(lambda x: x * 2.0)  # here
    return keras.Sequential([keras.Input((4,)), layers.Dense(3), double])
