import keras
from keras import layers


@keras.saving.register_keras_serializable(package="corpus")
class Wide(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.inner = layers.Dense(units)

    def build(self, shape):
        self.inner.build(shape)

    def call(self, x):
        return self.inner(x)

    def get_config(self):  # here
        return {**super().get_config(), "size": self.units}


def build_model():
    return keras.Sequential([keras.Input((4,)), Wide(3)])
