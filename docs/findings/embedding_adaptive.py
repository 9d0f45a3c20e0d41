"""An Embedding under Adam: a row that occurs twice in a batch moves otherwise on TensorFlow."""

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[1] if len(sys.argv) > 1 else "tensorflow"

import keras
import numpy as np

model = keras.Sequential([keras.Input((2,), dtype="int32"), keras.layers.Embedding(2, 1)])
model.compile(keras.optimizers.Adam(0.01), "mse")
model.set_weights([np.ones((2, 1), "float32")])
for target in ([[1.0], [-1.0]], [[0.5], [0.0]]):
    model.train_on_batch(np.array([[1, 1]]), np.array([target], "float32"))
print(f"{keras.backend.backend()}: {model.get_weights()[0][1, 0]:.4f}")
