"""Keras's random functions on portable words: same arguments, same numbers on every backend.

=================  ==========================================================================
function           what is equal on the backends, eager and compiled
=================  ==========================================================================
uniform            every bit, if the bounds are numbers
normal             every bit, if mean and standard deviation are numbers
truncated_normal   as normal
randint, shuffle   every bit
dropout            the mask, every bit; kept values are one rounded product of the input
binomial           every bit (:mod:`portable_models.random.rejection`)
categorical        to rounding: softmax is each backend's own, so a number that falls within
                   some 1e-7 of the border of two classes may be sorted differently
gamma, beta        to rounding (:mod:`portable_models.random.rejection`)
=================  ==========================================================================

Floats are drawn as float32 and then converted: a float64 model starts from the very numbers of the float32
model, and a float16 or bfloat16 one from the nearest (for ``uniform``, never as high as the upper bound).
Where a bound, mean or deviation is a tensor, the float arithmetic is the backend's, equal to rounding.
"""

from __future__ import annotations

from typing import Any, Final

import keras

from portable_models.random.gaussian import FRACTION_BITS, normal_units, truncated_normal_units
from portable_models.random.rounding import (
    as_tensor,
    below,
    float_type,
    kept_apart,
    number,
    rounded,
    scaled,
)
from portable_models.random.threefry import multiply_high, shift_right, signed
from portable_models.random.words import arithmetic, dimensions, key_of, random_words, size

_UNIFORM_BITS: Final = 24


def uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Multiples of ``(maxval - minval) * 2**-24`` from ``minval`` on, all below ``maxval``."""
    name, shape = float_type(dtype, "uniform"), dimensions(shape)
    words = random_words(key_of(seed), size(shape))
    xp = arithmetic(words)
    steps = shift_right(xp, words, 32 - _UNIFORM_BITS)
    low, high = number(minval), number(maxval)
    if low is None or high is None:
        span = keras.ops.subtract(maxval, minval)
        unit = as_tensor(scaled(steps, 2.0**-_UNIFORM_BITS), shape, "float32")
        return keras.ops.cast(keras.ops.add(keras.ops.multiply(unit, span), minval), name)
    if low == -high:
        # Symmetric, as all initializers are: no addition, hence a single rounding.
        centred = xp.subtract(xp.left_shift(steps, 1), 1 << _UNIFORM_BITS)
        values = scaled(centred, high * 2.0**-_UNIFORM_BITS)
    else:
        values = scaled(steps, (high - low) * 2.0**-_UNIFORM_BITS)
        if low:
            values = xp.add(values, rounded(low))
    if low < high:
        values = xp.minimum(values, min(below(high, name), below(high, "float32")))
    return as_tensor(values, shape, name)


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normal numbers, at most 6.24 standard deviations from the mean."""
    name, shape = float_type(dtype, "normal"), dimensions(shape)
    words = random_words(key_of(seed), size(shape))
    return _moved(normal_units(arithmetic(words), words), mean, stddev, shape, name)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normal numbers, given that they lie within two standard deviations of the mean."""
    name, shape = float_type(dtype, "truncated_normal"), dimensions(shape)
    words = random_words(key_of(seed), size(shape))
    return _moved(truncated_normal_units(arithmetic(words), words), mean, stddev, shape, name)


def _moved(units: Any, mean: Any, stddev: Any, shape: Any, dtype: str) -> Any:
    """Standard normal numbers in units of ``2**-21``, stretched by ``stddev`` and moved by ``mean``."""
    spread, centre = number(stddev), number(mean)
    if spread is None or centre is None:
        standard = as_tensor(scaled(units, 2.0**-FRACTION_BITS), shape, "float32")
        product = keras.ops.multiply(standard, keras.ops.cast(stddev, "float32"))
        bound = keras.ops.multiply(8.0, keras.ops.abs(keras.ops.cast(stddev, "float32")))
        moved = keras.ops.add(kept_apart(product, bound), keras.ops.cast(mean, "float32"))
        return keras.ops.cast(moved, dtype)
    values = scaled(units, spread * 2.0**-FRACTION_BITS)
    if centre:
        values = arithmetic(values).add(values, rounded(centre))
    return as_tensor(values, shape, dtype)


def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Any:
    """Integers from ``minval`` to ``maxval - 1``; none is more frequent than another by over 2**-32.

    Raises:
        ValueError: a bound is no number known now, is outside the range of an int32, or the range is empty.
    """
    low, high = number(minval), number(maxval)
    if low is None or high is None or not -(2**31) <= low < high <= 2**31:
        raise ValueError(
            "portable integers need numbers with -2**31 <= minval < maxval <= 2**31; "
            f"got minval={minval}, maxval={maxval}"
        )
    shape = dimensions(shape)
    words = random_words(key_of(seed), size(shape))
    xp = arithmetic(words)
    steps = multiply_high(xp, words, int(high) - int(low))
    # The sum wraps for a range of over 2**31 integers, and so comes out right.
    values = as_tensor(xp.add(steps, int(low)), shape, "int32")
    return keras.ops.cast(values, keras.backend.standardize_dtype(dtype or "int32"))


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """``inputs`` with a share ``rate`` set to zero and the rest multiplied by ``1 / (1 - rate)``.

    A value is kept if its word, as an integer of 0 to ``2**32 - 1``, is at least ``rate * 2**32``.

    Raises:
        ValueError: ``rate`` is no number of 0 to 1.
    """
    share = number(rate)
    if share is None or not 0.0 <= share <= 1.0:
        raise ValueError(f"the rate of dropout must be a number of 0 to 1; got {rate}")
    ops = keras.ops
    inputs = ops.convert_to_tensor(inputs)
    if share == 1.0:
        return ops.zeros_like(inputs)
    if share == 0.0:
        return inputs
    shape = ops.shape(inputs)
    if noise_shape is not None:
        given = zip(dimensions(noise_shape), shape, strict=True)
        shape = tuple(own if wanted is None else wanted for wanted, own in given)
    words = random_words(key_of(seed), size(shape))
    xp = arithmetic(words)
    threshold = signed(min(round(share * 2**32), 2**32 - 1) ^ 0x80000000)
    keep = xp.greater_equal(xp.bitwise_xor(words, -(2**31)), threshold)
    name = keras.backend.standardize_dtype(inputs.dtype)
    scale = ops.convert_to_tensor(rounded(1.0 / (1.0 - share), name), dtype=name)
    kept = as_tensor(keep, shape, "bool")
    return ops.where(kept, ops.multiply(inputs, scale), ops.zeros_like(inputs))


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """``x`` with its slices along ``axis`` in random order: each slice stays whole."""
    x = keras.ops.convert_to_tensor(x)
    words = random_words(key_of(seed), keras.ops.shape(x)[axis])
    return keras.ops.take(x, order_of(words), axis=axis)


def order_of(words: Any) -> Any:
    """Positions of ``words`` in ascending order, equal ones as they come; an int32 tensor."""
    xp = arithmetic(words)
    # All of Keras's backends sort stably; NumPy has to be asked.
    order = xp.argsort(words) if xp is keras.ops else xp.argsort(words, kind="stable")
    return keras.ops.cast(keras.ops.convert_to_tensor(order), "int32")


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Classes drawn by the inverse of the cumulated softmax of ``logits``, shape ``(batch, num_samples)``."""
    ops = keras.ops
    logits = ops.cast(ops.convert_to_tensor(logits), "float32")
    borders = ops.cumsum(ops.softmax(logits, axis=-1), axis=-1)
    shape = (ops.shape(logits)[0], num_samples)
    points = uniform(shape, dtype="float32", seed=seed)
    points = ops.multiply(points, borders[:, -1:])
    passed = ops.less_equal(ops.expand_dims(borders[:, :-1], 1), ops.expand_dims(points, 2))
    found = ops.sum(ops.cast(passed, "int32"), axis=-1)
    return ops.cast(found, keras.backend.standardize_dtype(dtype or "int32"))
