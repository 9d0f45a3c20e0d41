"""Metrics by name, and those that Keras 3 lacks."""

from portable_models.metrics.mean_relative_error import MeanRelativeError
from portable_models.metrics.mean_tensor import MeanTensor
from portable_models.names import metric as get

__all__ = ["MeanRelativeError", "MeanTensor", "get"]
