"""Losses by name, and those that Keras 3 does not have the same on every backend."""

from portable_models.losses.of_probabilities import (
    BinaryCrossentropyOfProbabilities,
    BinaryFocalCrossentropyOfProbabilities,
    CategoricalCrossentropyOfProbabilities,
    CrossentropyByShape,
    SparseCategoricalCrossentropyOfProbabilities,
)
from portable_models.names import loss as get

__all__ = [
    "BinaryCrossentropyOfProbabilities",
    "BinaryFocalCrossentropyOfProbabilities",
    "CategoricalCrossentropyOfProbabilities",
    "CrossentropyByShape",
    "SparseCategoricalCrossentropyOfProbabilities",
    "get",
]
