"""The loss of one output is averaged over batches, not samples, in fit on TensorFlow."""

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[1] if len(sys.argv) > 1 else "tensorflow"

import keras
import numpy as np

inputs = keras.Input((1,))
same, double = keras.layers.Rescaling(1.0, name="same"), keras.layers.Rescaling(2.0, name="double")
model = keras.Model(inputs, {"same": same(inputs), "double": double(inputs)})
model.compile("sgd", {"same": "mae", "double": "mae"})
x, zeros = np.array([[0.0], [0.0], [3.0]]), np.zeros((3, 1))
history = model.fit(
    x, {"same": zeros, "double": zeros}, batch_size=2, shuffle=False, verbose=0
).history
print(f"{keras.backend.backend()}: {history['same_loss'][0]:.4f}")
