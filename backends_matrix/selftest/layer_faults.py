"""Faults in one layer, operation or variable: the place must be named as well as the kind."""

from __future__ import annotations

from typing import Any

from backends_matrix.selftest.planting import around, backwards, outputs, settings


def attention_scale() -> None:
    """Attention divides by a root that is a hundredth too large."""
    import keras

    def build(original: Any, self: Any, *arguments: Any, **given: Any) -> None:
        original(self, *arguments, **given)
        self._inverse_sqrt_key_dim *= 1.01

    around(keras.layers.MultiHeadAttention, "build", build)


def layer_norm_epsilon() -> None:
    """LayerNormalization's epsilon is a tenth larger."""
    settings("layers.LayerNormalization", epsilon=0.0011)


def lstm_gates() -> None:
    """An LSTM's gates are hard sigmoids."""
    settings("layers.LSTM", recurrent_activation="hard_sigmoid")


def gru_gates() -> None:
    """A GRU's gates are hard sigmoids."""
    settings("layers.GRU", recurrent_activation="hard_sigmoid")


def lstm_forget_bias() -> None:
    """An LSTM forgets at first: the bias of its forget gate is 0 and not 1."""
    settings("layers.LSTM", unit_forget_bias=False)


def convolution_shifted() -> None:
    """A convolution is one pixel off."""
    import keras

    outputs("Conv2D", lambda found: keras.ops.roll(found, 1, axis=1))


def pooling_mean() -> None:
    """The mean over a pooling window is a thousandth too small."""
    outputs("AveragePooling2D", lambda found: found * 0.999)


def gelu_approximated() -> None:
    """Gelu is taken from its approximation by tanh."""
    import keras

    def call(original: Any, self: Any, inputs: Any) -> Any:
        del original
        return keras.activations.gelu(inputs, approximate=True)

    around(keras.layers.Activation, "call", call)


def rescaling() -> None:
    """Inputs are divided by a little less."""
    settings("layers.Rescaling", scale=0.2002)


def pooled_steps() -> None:
    """The mean over time leaves out the last step."""
    import keras

    def call(original: Any, self: Any, inputs: Any, mask: Any = None) -> Any:
        return original(self, inputs[:, :-1], mask)

    around(keras.layers.GlobalAveragePooling1D, "call", call)


def softmax_operation() -> None:
    """The function keras.ops.softmax is a thousandth too small."""
    import keras

    original = keras.ops.softmax
    # Under its own name, by which the operation is known.
    keras.ops.softmax = _named(original, lambda x, axis=-1: original(x, axis=axis) * 0.999)


def _named(original: Any, other: Any) -> Any:
    other.__name__ = original.__name__
    return other


def layer_norm_backwards() -> None:
    """LayerNormalization's gradient is a hundredth too small."""
    backwards("LayerNormalization", 0.99)


def lstm_backwards() -> None:
    """An LSTM's gradient is a hundredth too small."""
    backwards("LSTM", 0.99)


def embedding_backwards() -> None:
    """An Embedding's gradient is halved."""
    backwards("Embedding", 0.5)


def gradient_lost() -> None:
    """The gradient of a normalisation is not a number, though its outputs are."""
    import keras

    def change(found: Any) -> Any:
        # What is not chosen is infinite, and its gradient infinity times zero.
        return keras.ops.where(found < 1e30, found, 1.0 / (found * 0.0))

    outputs("LayerNormalization", change)


def _update_of(part: str, factor: float) -> None:
    import keras

    def apply(original: Any, self: Any, grads: Any, trainable_variables: Any = None) -> None:
        known = trainable_variables or self._trainable_variables
        pairs = zip(grads, known, strict=True)
        changed = [grad * factor if part in variable.path else grad for grad, variable in pairs]
        original(self, changed, trainable_variables)

    around(keras.optimizers.Optimizer, "apply", apply)


def embedding_update() -> None:
    """An Embedding is moved by a tenth less than its gradient."""
    _update_of("embeddings", 0.9)


def bias_update() -> None:
    """The bias of a normalisation is moved twice as far."""
    _update_of("beta", 2.0)


def constraint() -> None:
    """Weights are not held to the norm that their layer asks for."""
    import keras

    around(keras.constraints.MaxNorm, "__call__", lambda original, self, w: w)


def norm_unbiased() -> None:
    """BatchNormalization keeps the variance of a sample."""
    import keras

    def moments(original: Any, self: Any, inputs: Any, mask: Any) -> Any:
        mean, variance = original(self, inputs, mask)
        return mean, variance * 16.0 / 15.0

    around(keras.layers.BatchNormalization, "_moments", moments)


def python_random() -> None:
    """A layer draws noise from Python's own generator."""
    import random

    outputs("Rescaling", lambda found: found * (1.0 + 0.01 * random.random()))


def numpy_random() -> None:
    """A layer draws noise from an unseeded generator of NumPy."""
    import numpy as np

    rng = np.random.default_rng()
    outputs("Activation", lambda found: found * (1.0 + 0.01 * float(rng.random())))
