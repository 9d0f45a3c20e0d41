"""RandomBrightness changes the images that it is given on PyTorch."""

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[1] if len(sys.argv) > 1 else "torch"

import keras
import numpy as np

images = keras.ops.convert_to_tensor(np.full((1, 4, 4, 3), 0.5, "float32"))
layer = keras.layers.RandomBrightness((0.25, 0.25), value_range=(0, 1))
layer(images, training=True)
mean = float(keras.ops.mean(images))
print(f"{keras.backend.backend()}: {mean:.4f}")
