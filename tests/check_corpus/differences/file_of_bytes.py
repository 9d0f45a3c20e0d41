# differs: file
"""A layer of the user's own that stores its kernel as bytes, of which JAX loses the negative ones."""

import keras
import numpy as np


@keras.saving.register_keras_serializable()
class Packed(keras.layers.Layer):
    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 4))

    def call(self, inputs):
        return inputs @ (keras.ops.round(self.kernel * 32) / 32)

    def save_own_variables(self, store):
        whole = keras.ops.cast(keras.ops.round(self.kernel * 32), "uint8")
        store["bytes"] = keras.ops.convert_to_numpy(whole)

    def load_own_variables(self, store):
        self.kernel.assign(store["bytes"][()].astype("int8").astype("float32") / 32)


def build_model():
    inputs = keras.Input((6,))
    x = Packed(name="packed")(keras.layers.Dense(5, activation="relu")(inputs))
    return keras.Model(inputs, keras.layers.Dense(3)(x))
