import keras
from keras import layers, ops


def build_model():
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(1),
        ]
    )
    model.compile("rmsprop", "mse", metrics=["mae"])
    return model
