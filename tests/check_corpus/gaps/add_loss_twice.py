"""A layer with a penalty of its own, shared by two branches."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="gaps")
class Sparse(layers.Layer):
    def call(self, x):
        self.add_loss(0.1 * ops.mean(ops.square(x)))
        return x


def build_model():
    shared = Sparse(name="sparse")
    inputs = keras.Input((4,))
    first = shared(layers.Dense(3, name="first")(inputs))
    second = shared(layers.Dense(3, name="second")(inputs))
    return keras.Model(inputs, layers.Dense(1)(layers.Concatenate()([first, second])))


# named: loss of sparse
