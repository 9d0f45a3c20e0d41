"""A layer that counts how often its gate is open, in a metric."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="gaps")
class Gate(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.opened = keras.metrics.Mean(name="opened")

    def call(self, x):
        self.opened.update_state(ops.mean(ops.cast(x > 0, "float32")))
        return ops.relu(x)


def build_model():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3), Gate(name="gate"), layers.Dense(1)])


# named: exception of sequential/gate
