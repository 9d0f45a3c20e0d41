"""A stateful recurrent layer: JAX forgets its state in every batch of predict."""

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[1] if len(sys.argv) > 1 else "jax"

import keras
import numpy as np

model = keras.Sequential(
    [keras.Input(batch_shape=(1, 3, 1)), keras.layers.SimpleRNN(1, "linear", stateful=True)]
)
model.set_weights([np.ones((1, 1)), np.ones((1, 1)), np.zeros(1)])
found = model.predict(np.ones((2, 3, 1)), batch_size=1, verbose=0)
print(f"{keras.backend.backend()}: {float(found[-1, 0]):.4f}")
