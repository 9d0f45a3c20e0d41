"""Crossentropies of what a model puts out, never of the logits that it hides behind an activation.

Where a model ends in a sigmoid or softmax, Keras's own crossentropies look behind it on TensorFlow
and do not clip, on JAX and torch they do not look and clip to [1e-7, 1 - 1e-7]; so a saturated
prediction has another loss, and another gradient, on TensorFlow (entry
"crossentropy-from-activation" of known_gaps.toml). These give the documented, clipped value
everywhere. They can go when that gap closes.
"""

from __future__ import annotations

from typing import Any

import keras


def _without_history(y_pred: Any) -> Any:
    """A new tensor of the same values; it does not know which activation made it."""
    return keras.ops.multiply(y_pred, 1.0)


@keras.saving.register_keras_serializable("portable_models")
class BinaryCrossentropyOfProbabilities(keras.losses.BinaryCrossentropy):  # type: ignore[misc]  # keras has no complete types
    """``keras.losses.BinaryCrossentropy``, the same for saturated outputs on every backend.

    Arguments and configs are those of Keras's class,
    https://keras.io/api/losses/probabilistic_losses.

    Example:
        >>> loss = BinaryCrossentropyOfProbabilities()
        >>> round(float(loss(keras.ops.ones((1, 1)), keras.ops.zeros((1, 1)))), 3)
        16.118
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value per sample, in nats, of targets and predictions of shape ``(n, ..., k)``."""
        return super().call(y_true, _without_history(y_pred))


@keras.saving.register_keras_serializable("portable_models")
class CategoricalCrossentropyOfProbabilities(keras.losses.CategoricalCrossentropy):  # type: ignore[misc]  # keras has no complete types
    """``keras.losses.CategoricalCrossentropy``, the same for saturated outputs on every backend.

    Arguments and configs are those of Keras's class,
    https://keras.io/api/losses/probabilistic_losses.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value per sample, in nats, of targets and predictions of shape ``(n, ..., classes)``."""
        return super().call(y_true, _without_history(y_pred))


@keras.saving.register_keras_serializable("portable_models")
class SparseCategoricalCrossentropyOfProbabilities(keras.losses.SparseCategoricalCrossentropy):  # type: ignore[misc]  # keras has no complete types
    """``keras.losses.SparseCategoricalCrossentropy``, the same for saturated outputs everywhere.

    Arguments and configs are those of Keras's class,
    https://keras.io/api/losses/probabilistic_losses.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value per sample, in nats, of labels ``(n, ...)`` and predictions ``(n, ..., classes)``."""
        return super().call(y_true, _without_history(y_pred))
