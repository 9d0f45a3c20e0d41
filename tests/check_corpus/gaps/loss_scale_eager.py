"""A model that is warmed up by two steps of a loop of the user's own, with scaled losses."""

import keras
import numpy as np
from keras import layers, ops


def build_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="dense")])
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
    for _ in range(2):
        gradients = [ops.ones_like(v.value) for v in model.trainable_variables]
        optimizer.apply(gradients, model.trainable_variables)
    return model


def example_inputs(rng, batch):
    return rng.normal(size=(batch, 4)).astype(np.float32)


# named: exception of LossScaleOptimizer
