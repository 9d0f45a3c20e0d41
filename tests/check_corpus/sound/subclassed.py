import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="corpus")
class Gate(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.inner = layers.Dense(units)

    def build(self, shape):
        self.inner.build(shape)
        self.scale = self.add_weight(shape=(self.units,), initializer="ones", name="scale")

    def call(self, x):
        return ops.sigmoid(self.inner(x)) * self.scale

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="corpus")
class Network(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.gate = Gate(5)
        self.out = layers.Dense(2)

    def call(self, x, training=None):
        return self.out(self.gate(x))


def build_model():
    return Network()


def example_inputs(rng, batch):
    return rng.normal(size=(batch, 4)).astype("float32")
