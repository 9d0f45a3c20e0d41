"""Gamma, beta and binomial numbers, with a number of steps that is fixed beforehand."""

from __future__ import annotations

from typing import Any, Final

import keras
import numpy as np

from portable_models.random.gaussian import FRACTION_BITS, normal_units
from portable_models.random.rounding import as_tensor, float_type, scaled
from portable_models.random.threefry import shift_right
from portable_models.random.words import (
    BACKEND,
    arithmetic,
    dimensions,
    key_of,
    random_words,
    size,
)

PROPOSALS: Final = 8
"""Proposals for each gamma number. One is accepted with probability above 0.95, so in less than 4e-11 of
cases none is, and the first stands."""
MAX_COUNT: Final = 4096
"""Largest number of trials of a binomial draw: each trial is drawn."""


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Gamma numbers of shape parameter ``alpha`` and scale 1, equal on the backends to rounding.

    Marsaglia, Tsang: "A simple method for generating gamma variables", ACM TOMS 26 (2000),
    https://doi.org/10.1145/358407.358414. Its test compares rounded floats, so besides the last bits of the
    numbers, about one in 1e6 may be another proposal on another backend.
    """
    name, shape = float_type(dtype, "gamma"), dimensions(shape)
    marsaglia, boost = _gamma_parts(key_of(seed), shape, alpha, 0)
    return keras.ops.cast(keras.ops.multiply(marsaglia, keras.ops.exp(boost)), name)


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Beta numbers from two gamma numbers; equal on the backends to rounding, as :func:`gamma` is."""
    name, shape = float_type(dtype, "beta"), dimensions(shape)
    key, ops = key_of(seed), keras.ops
    one, one_boost = _gamma_parts(key, shape, alpha, 3)
    other, other_boost = _gamma_parts(key, shape, beta, 6)
    # In logarithms, since both gamma numbers underflow for small parameters.
    odds = ops.subtract(ops.add(ops.log(one), one_boost), ops.add(ops.log(other), other_boost))
    return ops.cast(ops.sigmoid(odds), name)


def _gamma_parts(key: Any, shape: Any, alpha: Any, lane: int) -> tuple[Any, Any]:
    """A gamma number as a factor and the logarithm of another, which only ``alpha < 1`` needs."""
    ops = keras.ops
    alpha = ops.broadcast_to(ops.cast(ops.convert_to_tensor(alpha), "float32"), shape)
    small = ops.less(alpha, 1.0)
    d = ops.expand_dims(ops.where(small, ops.add(alpha, 1.0), alpha) - 1.0 / 3.0, -1)
    many = (*shape, PROPOSALS)
    words = random_words(key, size(many), lane)
    units = scaled(normal_units(arithmetic(words), words), 2.0**-FRACTION_BITS)
    x = as_tensor(units, many, "float32")
    t = 1.0 + x / ops.sqrt(9.0 * d)
    # A proposal with t <= 0 is never accepted; the floor keeps its logarithm finite.
    v = ops.power(ops.maximum(t, 1e-6), 3)
    test = ops.log(_open_uniform(key, many, lane + 1))
    accepted = ops.logical_and(t > 0.0, test < 0.5 * ops.square(x) + d * (1.0 - v + ops.log(v)))
    first = ops.argmax(ops.cast(accepted, "int32"), axis=-1, keepdims=True)
    chosen = ops.take_along_axis(d * v, first, axis=-1)
    boost = ops.log(_open_uniform(key, shape, lane + 2)) / alpha
    return ops.squeeze(chosen, -1), ops.where(small, boost, ops.zeros_like(boost))


def _open_uniform(key: Any, shape: Any, lane: int) -> Any:
    """Odd multiples of ``2**-24`` between 0 and 1, exact."""
    words = random_words(key, size(shape), lane)
    xp = arithmetic(words)
    steps = xp.bitwise_or(shift_right(xp, words, 8), 1)
    return as_tensor(scaled(steps, 2.0**-24), shape, "float32")


def binomial(
    shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None
) -> Any:
    """How many of ``counts`` trials succeed, each trial being drawn: equal on the backends in every bit.

    Args:
        shape: shape of the result.
        counts: number of trials, 0 to 4,096: a number or an array whose values are known now.
        probabilities: of success; compared as float32.
        dtype: float type of the result; None for Keras's default.
        seed: a Keras seed.

    Raises:
        NotImplementedError: ``counts`` is only known when compiled code runs, or above 4,096: the number of
            trials must be known to draw each, and no way of drawing the sum has equal bits everywhere.
    """
    name, shape = float_type(dtype, "binomial"), dimensions(shape)
    ops = keras.ops
    most = _largest(counts)
    many = (*shape, most)
    words = random_words(key_of(seed), size(many))
    points = scaled(shift_right(arithmetic(words), words, 8), 2.0**-24)
    chances = ops.broadcast_to(ops.cast(ops.convert_to_tensor(probabilities), "float32"), shape)
    trials = ops.broadcast_to(ops.cast(ops.convert_to_tensor(counts), "int32"), shape)
    success = ops.less(as_tensor(points, many, "float32"), ops.expand_dims(chances, -1))
    counted = ops.less(ops.arange(most, dtype="int32"), ops.expand_dims(trials, -1))
    total = ops.sum(ops.cast(ops.logical_and(success, counted), "int32"), axis=-1)
    return ops.cast(total, name)


def _largest(counts: Any) -> int:
    known = isinstance(counts, int | float | list | tuple | np.ndarray | np.number)
    if not known and BACKEND.is_traced(counts):
        raise NotImplementedError(
            "a portable binomial draw needs its counts as numbers or arrays, not as tensors of compiled "
            "code; draw outside the compiled function, or sum keras.random.uniform(...) < probability"
        )
    if isinstance(counts, int | float):  # apart, as torch.compile cannot follow NumPy
        most = int(counts)
    else:
        values = np.asarray(counts if known else keras.ops.convert_to_numpy(counts))
        most = int(values.max(initial=0))
    if most > MAX_COUNT:
        raise NotImplementedError(
            f"a portable binomial draw has at most {MAX_COUNT} trials; got counts up to {most}. "
            "Draw a normal approximation, or outside portable_random"
        )
    return most
