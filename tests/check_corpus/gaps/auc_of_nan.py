"""The area under the curve of a classifier whose data holds one number that is none."""

import keras
import numpy as np
from keras import layers


def build_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "mse", metrics=[keras.metrics.AUC(name="auc")])
    return model


def example_inputs(rng, batch):
    x = rng.normal(size=(batch, 4)).astype("float32")
    x[-1, 0] = np.nan
    return x


def example_targets(rng, batch):
    return (np.arange(batch)[:, None] % 2 == 0).astype("float32")


# named: metric of auc
