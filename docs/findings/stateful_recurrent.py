"""A stateful LSTM without a mask cannot be trained on PyTorch."""

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[1] if len(sys.argv) > 1 else "torch"

import keras
import numpy as np

model = keras.Sequential([keras.Input(batch_shape=(2, 3, 1)), keras.layers.LSTM(2, stateful=True)])
model.compile("sgd", "mse")
try:
    model.train_on_batch(np.ones((2, 3, 1)), np.ones((2, 2)))
    print(f"{keras.backend.backend()}: trains")
except RuntimeError as error:
    print(f"{keras.backend.backend()}: RuntimeError, {str(error)[:60]}")
