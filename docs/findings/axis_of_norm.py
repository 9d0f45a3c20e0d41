"""ops.norm with an axis cannot be an operation of a Functional model on JAX."""

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[1] if len(sys.argv) > 1 else "jax"

import keras
import numpy as np

inputs = keras.Input((2,))
model = keras.Model(inputs, keras.ops.norm(inputs, axis=-1))
try:
    found = f"{float(model(np.array([[3.0, 4.0]]))[0]):.4f}"
except ValueError as error:
    found = type(error).__name__
print(f"{keras.backend.backend()}: {found}")
