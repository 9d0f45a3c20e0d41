"""Every known gap in numbers is still there on its backends, and nowhere else.

A gap that has closed fails here: delete its entry from known_gaps.toml.
"""

import math
import os

import keras
import numpy as np
import pytest
from keras import layers, ops

from portable_models import known_gaps
from portable_models.random import portable_random

BACKEND = os.environ["KERAS_BACKEND"]
GAPS = {gap.id: gap for gap in known_gaps.known_gaps()}
ZEROS = np.zeros((1, 3), "float32")


class Offset(layers.Layer):
    """Adds a weight of the input's shape, so that the input's gradient is a weight's."""

    def build(self, shape):
        self.offset = self.add_weight(shape=shape[1:], initializer="zeros")

    def call(self, x):
        return x + self.offset


class Called(layers.Layer):
    """Calls a function, as a layer of one's own does."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, x):
        return self.function(x)


def gradient(function, x):
    """The gradient of the sum of outputs by the inputs, through a step of SGD: Keras and NumPy alone."""
    offset = Offset()
    inputs = keras.Input(x.shape[1:])
    model = keras.Model(inputs, Called(function)(offset(inputs)))
    model.compile(keras.optimizers.SGD(1.0), loss=lambda y, prediction: ops.sum(y * prediction))
    outputs = ops.convert_to_numpy(model(x))
    model.train_on_batch(x, np.ones_like(outputs))
    return -float(ops.convert_to_numpy(offset.offset).reshape(-1)[0])


def fails(function):
    """Whether calling it raises ValueError."""
    try:
        function()
    except ValueError:
        return True
    return False


def pooled_with_padding():
    x = np.arange(6, dtype="float32").reshape(1, 6, 1)
    first = float(ops.convert_to_numpy(layers.AveragePooling1D(4, 1, padding="same")(x))[0, 0, 0])
    # The mean of 0, 1 and 2 is 1; with the edge repeated it is that of 0, 0, 1 and 2.
    return first == 0.75


def losses_of_two_calls():
    class Penalty(layers.Layer):
        def call(self, x):
            self.add_loss(ops.sum(x))
            return x

    penalty = Penalty()
    inputs = keras.Input((2,))
    model = keras.Model(inputs, penalty(penalty(inputs) * 2.0))
    model.compile("sgd", lambda y, prediction: ops.sum(prediction) * 0.0)
    # 2 of the first call and 4 of the second.
    return model.evaluate(np.ones((1, 2), "float32"), np.ones((1, 2)), verbose=0) == 4.0


def repeated_ids_take_other_steps():
    with portable_random(0):
        model = keras.Sequential([keras.Input((2,), dtype="int32"), layers.Embedding(2, 1)])
        model.compile(keras.optimizers.Adam(0.1), lambda y, p: ops.sum(y * p))
    before = model.get_weights()[0][1, 0]
    # The two gradients of the row are 1 and -0.5: Adam's first step has the size of the learning rate if
    # they are summed first, and another one if each is squared by itself.
    model.train_on_batch(np.array([[1, 1]]), np.array([[[1.0], [-0.5]]], "float32"))
    return not math.isclose(before - model.get_weights()[0][1, 0], 0.1, rel_tol=1e-3)


def the_kernel_is_not_normalised():
    with portable_random(0):
        dense = layers.Dense(3, use_bias=False)
        model = keras.Sequential([keras.Input((4,)), layers.SpectralNormalization(dense, 20)])
        # A rate of 0: what changes the kernel is the layer itself.
        model.compile(keras.optimizers.SGD(0.0), "mse")
    model.train_on_batch(np.ones((2, 4), "float32"), np.ones((2, 3), "float32"))
    norm = np.linalg.norm(ops.convert_to_numpy(dense.kernel), 2)
    return not math.isclose(norm, 1.0, rel_tol=1e-3)


def masked_rows_have_larger_gradients():
    """The gradient of a query's value that is not masked away: 1 / keys each, where all keys are masked."""

    def attended(x):
        parts = ops.reshape(x, (-1, 4, 1, 1))
        keep = ops.zeros((1, 1, 4, 4), "bool")
        return ops.dot_product_attention(parts, parts, parts, mask=keep)

    with portable_random(0):
        found = gradient(attended, np.zeros((1, 4), "float32"))
    # Four rows give a quarter each.
    return not math.isclose(found, 1.0, rel_tol=1e-4)


def bicubic_differs():
    image = np.arange(32, dtype="float32").reshape(1, 4, 8, 1) ** 1.5
    total = float(ops.sum(ops.image.resize(image, (3, 5), interpolation="bicubic")))
    return not math.isclose(total, 1053.895, abs_tol=2e-3)


PROOFS = {
    "abs-at-zero": lambda: gradient(ops.abs, ZEROS) == 1.0,
    "leaky-relu-at-zero": lambda: gradient(layers.LeakyReLU(0.3), ZEROS) == 1.0,
    "selu-at-zero": lambda: gradient(ops.selu, ZEROS) < 1.1,
    "celu-at-zero": lambda: gradient(ops.celu, ZEROS) == 2.0,
    "maximum-ties": lambda: gradient(lambda x: ops.maximum(x, x * 3.0), ZEROS) == 1.0,
    "clip-at-bound": lambda: gradient(lambda x: ops.clip(x, 0.0, 1.0), ZEROS) == 0.5,
    "hard-tanh-at-bound": lambda: gradient(ops.hard_tanh, ZEROS + 1.0) == 0.0,
    "norm-at-zero": lambda: gradient(lambda x: ops.norm(x, axis=-1), ZEROS) == 0.0,
    "std-of-constant": lambda: gradient(lambda x: ops.std(x, axis=-1), ZEROS) == 0.0,
    "cumprod-of-zero": lambda: gradient(lambda x: ops.cumprod(x, axis=-1), ZEROS) == 0.0,
    "normalize-at-zero": lambda: gradient(lambda x: ops.normalize(x, axis=-1), ZEROS) > 1e6,
    "axis-list": lambda: fails(
        lambda: keras.Model(i := keras.Input((3,)), ops.norm(i, axis=-1))(ZEROS)
    ),
    "cast-out-of-range": lambda: int(ops.cast(ops.convert_to_tensor(300.0), "uint8")) == 255,
    "resize-bicubic": bicubic_differs,
    "average-pooling-same": pooled_with_padding,
    "add-loss-twice": losses_of_two_calls,
    "embedding-adaptive": repeated_ids_take_other_steps,
    "spectral-normalization": the_kernel_is_not_normalised,
    "attention-masked-row": masked_rows_have_larger_gradients,
}


@pytest.mark.parametrize("gap", PROOFS)
def test_a_gap_is_on_its_backends_and_nowhere_else(gap):
    assert PROOFS[gap]() == (BACKEND in GAPS[gap].backends)


def test_every_proof_is_of_a_gap():
    assert set(PROOFS) <= set(GAPS)
