"""Metrics by name, those that Keras 3 lacks, and those that it does not have the same on every backend."""

from portable_models.metrics.mean_relative_error import MeanRelativeError
from portable_models.metrics.mean_tensor import MeanTensor
from portable_models.metrics.of_probabilities import (
    BinaryCrossentropyOfProbabilities,
    CategoricalCrossentropyOfProbabilities,
    MeanOfProbabilities,
    SparseCategoricalCrossentropyOfProbabilities,
)
from portable_models.names import metric as get

__all__ = [
    "BinaryCrossentropyOfProbabilities",
    "CategoricalCrossentropyOfProbabilities",
    "MeanOfProbabilities",
    "MeanRelativeError",
    "MeanTensor",
    "SparseCategoricalCrossentropyOfProbabilities",
    "get",
]
