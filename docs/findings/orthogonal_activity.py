"""An orthogonal activity regularizer cannot be evaluated on TensorFlow."""

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[1] if len(sys.argv) > 1 else "tensorflow"

import keras
import numpy as np

penalty = keras.regularizers.OrthogonalRegularizer(0.01)
model = keras.Sequential(
    [keras.Input((4,)), keras.layers.Dense(3, "linear", False, activity_regularizer=penalty)]
)
model.set_weights([np.ones((4, 3))])
model.compile("sgd", "mse")
try:
    found = f"{model.evaluate(np.eye(6, 4), np.ones((6, 3)), batch_size=4, verbose=0):.4f}"
except TypeError as error:
    found = type(error).__name__
print(f"{keras.backend.backend()}: {found}")
