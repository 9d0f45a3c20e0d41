"""SpectralNormalization: a training step on JAX forgets the kernel that the layer has normalised."""

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[1] if len(sys.argv) > 1 else "jax"

import keras
import numpy as np

dense = keras.layers.Dense(3, use_bias=False)
model = keras.Sequential([keras.Input((4,)), keras.layers.SpectralNormalization(dense, 20)])
model.compile(keras.optimizers.SGD(0.0), "mse")
dense.kernel.assign(np.arange(12).reshape(4, 3) / 10)
model.train_on_batch(np.ones((2, 4)), np.ones((2, 3)))
norm = np.linalg.norm(keras.ops.convert_to_numpy(dense.kernel), 2)
print(f"{keras.backend.backend()}: {norm:.4f}")
