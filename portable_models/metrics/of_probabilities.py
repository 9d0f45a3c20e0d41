"""Crossentropies as metrics, equal on every backend; see :mod:`portable_models.losses.of_probabilities`."""

from __future__ import annotations

from typing import Any

import keras

from portable_models._keras.masks import copy_mask

PACKAGE = "portable_models"


class _OfProbabilities:
    """Lets a metric of Keras see the predictions without the activation that made them."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Take in a batch of targets and predictions, with a factor for each sample."""
        plain = keras.ops.multiply(keras.ops.convert_to_tensor(y_pred), 1.0)
        # Keras reads the mask of a sequence from the tensor that a model gives.
        copy_mask(y_pred, plain)
        return super().update_state(y_true, plain, sample_weight=sample_weight)  # type: ignore[misc]


@keras.saving.register_keras_serializable(f"{PACKAGE}.metrics")
class BinaryCrossentropyOfProbabilities(_OfProbabilities, keras.metrics.BinaryCrossentropy):  # type: ignore[misc]  # keras has no complete types
    """``keras.metrics.BinaryCrossentropy``, the same for saturated outputs on every backend.

    Example:
        >>> metric = BinaryCrossentropyOfProbabilities()
        >>> metric.update_state([[1.0]], keras.activations.sigmoid(keras.ops.zeros((1, 1)) - 30))
        >>> round(float(metric.result()), 3)
        16.118
    """


@keras.saving.register_keras_serializable(f"{PACKAGE}.metrics")
class CategoricalCrossentropyOfProbabilities(
    _OfProbabilities,
    keras.metrics.CategoricalCrossentropy,  # type: ignore[misc]  # keras has no complete types
):
    """``keras.metrics.CategoricalCrossentropy``, the same for saturated outputs on every backend."""


@keras.saving.register_keras_serializable(f"{PACKAGE}.metrics")
class SparseCategoricalCrossentropyOfProbabilities(
    _OfProbabilities,
    keras.metrics.SparseCategoricalCrossentropy,  # type: ignore[misc]  # keras has no complete types
):
    """``keras.metrics.SparseCategoricalCrossentropy``, the same for saturated outputs everywhere."""


@keras.saving.register_keras_serializable(f"{PACKAGE}.metrics")
class MeanOfProbabilities(_OfProbabilities, keras.metrics.MeanMetricWrapper):  # type: ignore[misc]  # keras has no complete types
    """``keras.metrics.MeanMetricWrapper`` of a crossentropy function, the same on every backend."""
