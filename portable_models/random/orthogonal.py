"""Keras's Orthogonal initializer with a QR factorisation that has equal bits on every backend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from portable_models.random import host_arithmetic
from portable_models.random.distributions import normal
from portable_models.random.gaussian import normal_units
from portable_models.random.words import BACKEND, host_words, key_of, known_key


def orthogonal(initializer: Any, shape: Sequence[int], dtype: Any = None) -> Any:
    """Takes the place of ``keras.initializers.Orthogonal.__call__``.

    Each backend's QR factorisation rounds in its own way, so it is computed in float64 by NumPy, with
    elementwise operations and sums in a fixed order, and rounded to ``dtype``. Only where the seed is not
    known before compiled code runs is it the backend's own, equal to rounding.

    Args:
        initializer: the ``keras.initializers.Orthogonal``: its ``gain`` and ``seed`` are used.
        shape: at least two dimensions; all but the last are taken together.
        dtype: float type of the result; None for Keras's default.

    Returns:
        A tensor of ``shape`` with orthonormal rows or columns, times the gain.

    Raises:
        ValueError: ``shape`` has fewer than two dimensions.
    """
    if len(shape) < 2:
        raise ValueError(f"an orthogonal matrix needs at least two dimensions; got shape={shape}")
    rows, columns = math.prod(shape[:-1]), shape[-1]
    tall = (max(rows, columns), min(rows, columns))
    name = keras.backend.standardize_dtype(dtype or keras.config.floatx())
    key = key_of(initializer.seed)
    if not isinstance(key, tuple) and not BACKEND.has_values(key):
        return _traced(key, shape, tall, initializer.gain, name)
    words = host_words(known_key(key), math.prod(tall))
    matrix = normal_units(host_arithmetic, words).astype(np.float64).reshape(tall)
    found = orthonormal_columns(matrix) * initializer.gain
    if rows < columns:
        found = found.T
    found = np.ascontiguousarray(found.reshape(shape).astype(np.float32))
    return keras.ops.cast(keras.ops.convert_to_tensor(found), name)


def orthonormal_columns(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Q of ``matrix = Q R`` where R has a positive diagonal, by the modified Gram-Schmidt process.

    Args:
        matrix: shape ``(m, n)``, ``m >= n``, of full rank. Its condition number times 1e-16 bounds how far
            Q is from orthonormal: about 1e-12 for random matrices of 1,000 columns.
    """
    vectors = np.ascontiguousarray(matrix.T)
    for index, vector in enumerate(vectors):
        vector /= np.sqrt((vector * vector).sum())
        rest = vectors[index + 1 :]
        rest -= (rest * vector).sum(axis=1)[:, None] * vector
    return vectors.T


def _traced(key: Any, shape: Sequence[int], tall: tuple[int, int], gain: float, dtype: str) -> Any:
    ops = keras.ops
    q, r = ops.qr(normal(tall, dtype="float32", seed=key))
    q = q * ops.sign(ops.diag(r))
    if math.prod(shape[:-1]) < shape[-1]:
        q = ops.transpose(q)
    return ops.cast(gain * ops.reshape(q, shape), dtype)
