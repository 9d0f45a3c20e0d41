"""BinaryFocalCrossentropy of logits is not clipped on TensorFlow."""

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[1] if len(sys.argv) > 1 else "tensorflow"

import keras
import numpy as np

loss = keras.losses.BinaryFocalCrossentropy(from_logits=True)
found = loss(np.array([[1.0]], "float32"), np.array([[-30.0]], "float32"))
print(f"{keras.backend.backend()}: {float(found):.4f}")
