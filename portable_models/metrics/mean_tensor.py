"""Element-wise mean of tensors, which Keras 2 had and Keras 3 dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from portable_models._backend import current
from portable_models._keras.operations import in_stateless_scope


@keras.saving.register_keras_serializable("portable_models")
class MeanTensor(keras.metrics.Metric):  # type: ignore[misc]  # keras has no complete types
    """The weighted mean of each element over all values seen; the result has their shape.

    Same mathematics as
    https://www.tensorflow.org/versions/r2.15/api_docs/python/tf/keras/metrics/MeanTensor

    Give ``shape`` wherever the metric lives inside compiled code: a compiled step takes its
    variables as inputs, so they must exist before it is traced. Without a shape it is taken from
    the first value, which must then be a plain one, outside compiled code (torch's ``fit`` is plain
    code, but a model that relies on it is not portable). Inside ``fit``, update it in an
    overridden ``Model.compute_metrics``, which every backend allows; on JAX a layer's ``call`` may
    not update a metric (entry "metric-in-call" of known_gaps.toml).

    Args:
        name: what a history calls the metric.
        dtype: dtype of the computation; Keras's float type by default.
        shape: shape of the values, or None to take that of the first.

    Raises:
        ValueError: the shape holds an unknown dimension.

    Example:
        >>> metric = MeanTensor(shape=(2,))
        >>> metric.update_state([1.0, 4.0])
        >>> metric.update_state([3.0, 8.0])
        >>> [float(value) for value in metric.result()]
        [2.0, 6.0]
    """

    def __init__(
        self, name: str = "mean_tensor", dtype: Any = None, shape: Sequence[int] | None = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.shape: tuple[int, ...] | None = None
        if shape is not None:
            self._build(tuple(shape))

    def _build(self, shape: tuple[int | None, ...]) -> None:
        if any(size is None for size in shape):
            raise ValueError(
                f"MeanTensor keeps a sum for each element, so its shape must be known; got {shape}"
            )
        self.shape = tuple(int(size or 0) for size in shape)
        self.total = self.add_variable(self.shape, "zeros", dtype=self.dtype, name="total")
        self.count = self.add_variable(self.shape, "zeros", dtype=self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add one value.

        Args:
            values: tensor of the metric's shape.
            sample_weight: weights that broadcast against ``values``, or against its leading axes;
                None counts every element once.

        Raises:
            ValueError: the shape is not that of the first value, or no shape was given and this is
                compiled code.
        """
        values = ops.convert_to_tensor(values, dtype=self.dtype)
        given = tuple(values.shape)
        if self.shape is None:
            # Under torch, Keras asks for shapes with plain tensors, so only the scope tells.
            if in_stateless_scope() or current().is_traced(values):
                raise ValueError(
                    "MeanTensor without a shape was called inside compiled code, where its "
                    f"variables can no longer be made; say MeanTensor(shape={given})"
                )
            self._build(given)
        if given != self.shape:
            raise ValueError(
                f"MeanTensor takes values of one shape; expected {self.shape}, got {given}. "
                "A smaller last batch is such a case: take the mean over samples first"
            )
        weights = ops.ones_like(values)
        if sample_weight is not None:
            weights = weights * self._aligned(sample_weight, len(given))
        self.total.assign_add(values * weights)
        self.count.assign_add(weights)

    def _aligned(self, sample_weight: Any, rank: int) -> Any:
        """Weights of lower rank belong to the leading axes: ``(n,)`` goes with ``(n, ...)``."""
        weights = ops.convert_to_tensor(sample_weight, dtype=self.dtype)
        missing = rank - len(weights.shape)
        if missing <= 0 or len(weights.shape) == 0:
            return weights
        return ops.reshape(weights, tuple(weights.shape) + (1,) * missing)

    def result(self) -> Any:
        """The mean, of the metric's shape; 0 where the weights sum to 0.

        Raises:
            ValueError: no value was seen yet, and no shape was given.
        """
        if self.shape is None:
            raise ValueError(
                "MeanTensor has seen no value yet, so its result has no shape; "
                "update it first, or give its shape"
            )
        return ops.divide_no_nan(self.total, self.count)

    def get_config(self) -> dict[str, Any]:
        """Name, dtype and shape."""
        shape = None if self.shape is None else list(self.shape)
        return {**super().get_config(), "shape": shape}
