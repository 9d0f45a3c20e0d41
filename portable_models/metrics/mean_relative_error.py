"""Mean of the error relative to a normalizer, which Keras 2 had and Keras 3 dropped."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike


@keras.saving.register_keras_serializable("portable_models")
class MeanRelativeError(keras.metrics.Mean):  # type: ignore[misc]  # keras has no complete types
    """The weighted mean of ``|y_true - y_pred| / normalizer`` over all batches.

    Where the normalizer is 0 the relative error counts as 0. Same mathematics as
    https://www.tensorflow.org/versions/r2.15/api_docs/python/tf/keras/metrics/MeanRelativeError

    Args:
        normalizer: number or array that broadcasts against ``y_pred``: a scalar, one value per
            feature, or one per element of a batch (all batches then have the size of the
            normalizer).
        name: what a history calls the metric.
        dtype: dtype of the computation; Keras's float type by default.

    Raises:
        ValueError: the normalizer holds something that is not a finite number.

    Example:
        >>> metric = MeanRelativeError(normalizer=[1.0, 3.0, 2.0, 3.0])
        >>> float(metric([1.0, 3.0, 2.0, 3.0], [2.0, 4.0, 6.0, 8.0]))
        1.25
    """

    def __init__(
        self, normalizer: ArrayLike, name: str = "mean_relative_error", dtype: Any = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        try:
            values = np.asarray(normalizer, dtype="float64")
        except (TypeError, ValueError):
            values = np.array(np.nan)
        if not np.isfinite(values).all():
            raise ValueError(
                "normalizer of MeanRelativeError must be a number or an array of finite numbers; "
                f"got {normalizer!r}"
            )
        self.normalizer = values

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: targets, shape ``(n, ...)``.
            y_pred: predictions of the same shape.
            sample_weight: weights that broadcast against the leading axes of ``y_pred``, or None.

        Raises:
            ValueError: targets, predictions and normalizer do not fit together.
        """
        y_true = ops.convert_to_tensor(y_true, dtype=self.dtype)
        y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        normalizer = ops.convert_to_tensor(self.normalizer, dtype=self.dtype)
        # A model gives (n, 1) where targets and normalizers are often (n,).
        if y_pred.shape[-1:] == (1,) and len(y_pred.shape) == len(normalizer.shape) + 1:
            y_pred = ops.squeeze(y_pred, -1)
        if y_true.shape[-1:] == (1,) and len(y_true.shape) == len(y_pred.shape) + 1:
            y_true = ops.squeeze(y_true, -1)
        elif y_pred.shape[-1:] == (1,) and len(y_pred.shape) == len(y_true.shape) + 1:
            y_true = ops.expand_dims(y_true, -1)
        relative = ops.divide_no_nan(ops.abs(y_true - y_pred), normalizer)
        if not len(y_true.shape) == len(y_pred.shape) == len(relative.shape):
            raise ValueError(
                "MeanRelativeError takes targets and predictions of one shape and a normalizer "
                f"that broadcasts against them; got {tuple(y_true.shape)}, {tuple(y_pred.shape)} "
                f"and {self.normalizer.shape}"
            )
        super().update_state(relative, sample_weight=sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Name, dtype and the normalizer as nested lists."""
        return {**super().get_config(), "normalizer": self.normalizer.tolist()}
