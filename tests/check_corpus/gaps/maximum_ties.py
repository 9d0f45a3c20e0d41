"""The larger of two branches that begin at zero (maxout), in a layer of the user's own."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="gaps")
class Maxout(layers.Layer):
    def build(self, shape):
        self.first = self.add_weight(shape=(shape[-1], 3), initializer="zeros", name="first")
        self.second = self.add_weight(shape=(shape[-1], 3), initializer="zeros", name="second")

    def call(self, x):
        return ops.maximum(ops.matmul(x, self.first), ops.matmul(x, self.second))


def build_model():
    return keras.Sequential([keras.Input((4,)), Maxout(name="maxout"), layers.Dense(2)])


# named: gradient of sequential/maxout/ops.maximum
