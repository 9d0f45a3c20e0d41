import keras
from keras import layers, ops


def build_model():
    policy = "mixed_bfloat16"
    return keras.Sequential(
        [
            keras.Input((10,)),
            layers.Dense(16, activation="relu", dtype=policy),
            layers.Dense(4, dtype=policy),
            layers.Activation("linear", dtype="float32"),
        ]
    )
