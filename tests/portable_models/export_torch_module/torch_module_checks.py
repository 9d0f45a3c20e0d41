"""What the tests of exported layers share: calling both sides, and how close they must be."""

import keras
import numpy as np
import torch
from keras import ops

# 1e-6 of the output's scale: eight roundings of float32, as everywhere in the export.
RELATIVE = 1e-6


def call(net, *inputs):
    return [value.detach().numpy() for value in leaves(net(*map(torch.from_numpy, inputs)))]


def leaves(value):
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    return (
        [leaf for item in value for leaf in leaves(item)] if isinstance(value, tuple) else [value]
    )


def keras_call(model, inputs):
    return keras.tree.flatten(model.predict_on_batch(inputs))


def keras_training_call(model, inputs):
    return ops.convert_to_numpy(model(ops.convert_to_tensor(inputs), training=True))


def close(actual, expected):
    assert actual.shape == expected.shape
    assert np.isfinite(expected).all()
    assert np.abs(actual - expected).max() <= RELATIVE * max(np.abs(expected).max(), 1e-3)


def random(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")
