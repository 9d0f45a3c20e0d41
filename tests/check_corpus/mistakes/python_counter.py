import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="corpus")
class Custom(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.count = 0

    def call(self, x):
        self.count += 1  # here
        return x * float(self.count)


def build_model():
    inputs = keras.Input((6,))
    x = layers.Dense(6)(inputs)
    x = Custom()(x)
    return keras.Model(inputs, layers.Dense(1)(x))
