import keras
from keras import layers, ops


def build_model():
    tower = keras.Sequential(
        [keras.Input((6,)), layers.Dense(4, activation="tanh"), layers.Dense(3)], name="tower"
    )
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    x = layers.Dot(axes=-1, normalize=False)([tower(left), tower(right)])
    return keras.Model([left, right], x)
