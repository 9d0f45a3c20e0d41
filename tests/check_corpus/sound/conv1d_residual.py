import keras
from keras import layers, ops


def build_model():
    inputs = keras.Input((None, 3))
    x = layers.Conv1D(4, 3, padding="causal", activation="relu")(inputs)
    y = layers.Conv1D(4, 3, padding="same", dilation_rate=2)(x)
    x = layers.add([x, y])
    x = layers.UnitNormalization()(x)
    return keras.Model(inputs, layers.TimeDistributed(layers.Dense(2))(x))
