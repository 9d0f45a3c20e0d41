"""Features brought to mean 0 and standard deviation 1, by what the training rows say alone."""

from __future__ import annotations

from math import fsum

import numpy as np
from numpy.typing import ArrayLike, NDArray


def standardise(train: ArrayLike, *others: ArrayLike) -> tuple[NDArray[np.float32], ...]:
    """Subtract the training mean and divide by the training standard deviation, column by column.

    Mean and (population) standard deviation are computed in float64 from ``train`` alone, so nothing of
    the validation or test rows leaks into training. Sums are exact (``math.fsum``): the same numbers come
    out whatever the machine's vector width and the NumPy version.

    Args:
        train: training features, shape ``(n, features)``, at least one row.
        others: further features, shape ``(any, features)``, for instance validation and test rows.

    Returns:
        One float32 array for each argument, of the same shape. A column that is constant in ``train``
        carries no information to scale by: it is only centred, that is 0 in ``train``.

    Raises:
        ValueError: ``train`` is empty or not 2-D, columns differ in number, or a training value is not
            finite.

    Example:
        >>> train, test = standardise([[1.0, 5.0], [3.0, 5.0]], [[2.0, 6.0]])
        >>> train.tolist(), test.tolist()
        ([[-1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0]])
    """
    fitted = np.asarray(train, np.float64)
    parts = [fitted, *(np.asarray(other, np.float64) for other in others)]
    if fitted.ndim != 2 or not len(fitted):
        raise ValueError(
            f"training features must have the shape (rows, features), got {fitted.shape}"
        )
    for part in parts:
        if part.ndim != 2 or part.shape[1] != fitted.shape[1]:
            raise ValueError(
                f"expected {fitted.shape[1]} columns of features, got the shape {part.shape}"
            )
    if not np.isfinite(fitted).all():
        raise ValueError("training features must be finite; they hold NaN or infinity")
    mean = _mean(fitted)
    deviation = np.sqrt(_mean((fitted - mean) ** 2))
    # Not "deviation == 0": rounding of the mean can leave a constant column a tiny one.
    constant = fitted.min(axis=0) == fitted.max(axis=0)
    mean = np.where(constant, fitted[0], mean)
    deviation = np.where(constant, 1.0, deviation)
    return tuple(((part - mean) / deviation).astype(np.float32) for part in parts)


def _mean(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([fsum(column) for column in rows.T]) / len(rows)
