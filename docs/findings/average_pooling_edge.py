"""Average pooling with padding counts repeated values at the edge on PyTorch."""

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[1] if len(sys.argv) > 1 else "torch"

import keras
import numpy as np

x = np.array([1.0, 2.0, 3.0, 4.0], "float32").reshape(1, 4, 1)
found = keras.ops.average_pool(x, 3, strides=2, padding="same")
print(f"{keras.backend.backend()}: {float(found[0, -1, 0]):.4f}")
