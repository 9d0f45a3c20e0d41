"""Attention of a query all of whose keys are masked: its gradient is too large on PyTorch."""

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[1] if len(sys.argv) > 1 else "torch"

import keras
import numpy as np


class Attended(keras.layers.Layer):
    def build(self, shape):
        self.offset = self.add_weight(shape=(4, 1, 1), initializer="zeros")

    def call(self, x):
        parts, keep = x + self.offset, keras.ops.zeros((1, 1, 4, 4), "bool")
        return keras.ops.dot_product_attention(parts, parts, parts, mask=keep)


model = keras.Sequential([keras.Input((4, 1, 1)), Attended()])
model.compile(keras.optimizers.SGD(1.0), lambda y, found: keras.ops.sum(found))
model.train_on_batch(np.zeros((1, 4, 1, 1)), np.zeros((1, 4, 1, 1)))
print(f"{keras.backend.backend()}: {-model.get_weights()[0][0, 0, 0]:.4f}")
