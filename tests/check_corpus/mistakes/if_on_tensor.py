import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="corpus")
class Custom(layers.Layer):
    def call(self, x):
        if ops.mean(x) > 0:  # here
            return x * 2.0
        return x


def build_model():
    inputs = keras.Input((6,))
    x = layers.Dense(6)(inputs)
    x = Custom()(x)
    return keras.Model(inputs, layers.Dense(1)(x))
