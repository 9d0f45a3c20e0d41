"""fit trains a subclassed model without Dropout on JAX, unless its call hands training on."""

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[1] if len(sys.argv) > 1 else "jax"

import keras
import numpy as np


class Model(keras.Model):
    def __init__(self):
        super().__init__()
        self.drop = keras.layers.Dropout(0.5, seed=1)

    def call(self, x, training=None):
        return self.drop(x)


model, ones = Model(), np.ones((4, 100))
model.compile("sgd", lambda y, found: keras.ops.mean(keras.ops.cast(found == 0.0, "float32")))
dropped = model.fit(ones, ones, verbose=0).history["loss"][0]
print(f"{keras.backend.backend()}: {'some' if dropped else 'none'} dropped")
