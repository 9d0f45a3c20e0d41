"""Crossentropies of what a model puts out, never of the logits that it hides behind an activation.

Where a model ends in a sigmoid or softmax, Keras's own crossentropies look behind it on TensorFlow
and do not clip, on JAX and torch they do not look and clip to [1e-7, 1 - 1e-7]; so a saturated
prediction has another loss, and another gradient, on TensorFlow, and a binary crossentropy of a softmax is
another function altogether (entry "crossentropy-from-activation" of known_gaps.toml). These give the
documented, clipped value everywhere. They can go when that gap closes.
"""

from __future__ import annotations

from typing import Any

import keras

PACKAGE = "portable_models"


def without_history(y_pred: Any) -> Any:
    """A new tensor of the same values; it does not know which activation made it."""
    return keras.ops.multiply(y_pred, 1.0)


@keras.saving.register_keras_serializable(PACKAGE)  # type: ignore[untyped-decorator]  # keras has no complete types
def binary_crossentropy_of_probabilities(y_true: Any, y_pred: Any, **arguments: Any) -> Any:
    """``keras.losses.binary_crossentropy`` of arrays ``(n, ..., k)``, the same on every backend.

    Returns:
        One value, in nats, for each sample: shape ``(n, ...)``.
    """
    return keras.losses.binary_crossentropy(y_true, without_history(y_pred), **arguments)


@keras.saving.register_keras_serializable(PACKAGE)  # type: ignore[untyped-decorator]  # keras has no complete types
def categorical_crossentropy_of_probabilities(y_true: Any, y_pred: Any, **arguments: Any) -> Any:
    """``keras.losses.categorical_crossentropy`` of arrays ``(n, ..., classes)``, the same everywhere.

    Returns:
        One value, in nats, for each sample: shape ``(n, ...)``.
    """
    return keras.losses.categorical_crossentropy(y_true, without_history(y_pred), **arguments)


@keras.saving.register_keras_serializable(PACKAGE)  # type: ignore[untyped-decorator]  # keras has no complete types
def sparse_categorical_crossentropy_of_probabilities(
    y_true: Any, y_pred: Any, **arguments: Any
) -> Any:
    """``keras.losses.sparse_categorical_crossentropy``, the same on every backend.

    Args:
        y_true: labels ``(n, ...)``.
        y_pred: predictions ``(n, ..., classes)``.
        arguments: those of Keras's function.

    Returns:
        One value, in nats, for each sample: shape ``(n, ...)``.
    """
    return keras.losses.sparse_categorical_crossentropy(
        y_true, without_history(y_pred), **arguments
    )


@keras.saving.register_keras_serializable(PACKAGE)  # type: ignore[untyped-decorator]  # keras has no complete types
def binary_focal_crossentropy_of_probabilities(
    y_true: Any, y_pred: Any, *, from_logits: bool = False, **arguments: Any
) -> Any:
    """``keras.losses.binary_focal_crossentropy`` of arrays ``(n, ..., k)``, the same on every backend.

    With ``from_logits`` too: Keras takes the sigmoid itself there, and TensorFlow looks behind it again.

    Returns:
        One value, in nats, for each sample: shape ``(n, ...)``.
    """
    y_pred = keras.ops.convert_to_tensor(y_pred)
    if from_logits:
        y_pred = keras.ops.sigmoid(without_history(y_pred))
    return keras.losses.binary_focal_crossentropy(y_true, without_history(y_pred), **arguments)


@keras.saving.register_keras_serializable(PACKAGE)
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
        return super().call(y_true, without_history(y_pred))


@keras.saving.register_keras_serializable(PACKAGE)
class BinaryFocalCrossentropyOfProbabilities(keras.losses.BinaryFocalCrossentropy):  # type: ignore[misc]  # keras has no complete types
    """``keras.losses.BinaryFocalCrossentropy``, the same behind a sigmoid or softmax on every backend.

    Arguments and configs are those of Keras's class,
    https://keras.io/api/losses/probabilistic_losses.
    """

    def __init__(self, *args: Any, **arguments: Any) -> None:
        super().__init__(*args, **arguments)
        # What Keras's class computes its values with.
        self.fn = binary_focal_crossentropy_of_probabilities


@keras.saving.register_keras_serializable(PACKAGE)
class CategoricalCrossentropyOfProbabilities(keras.losses.CategoricalCrossentropy):  # type: ignore[misc]  # keras has no complete types
    """``keras.losses.CategoricalCrossentropy``, the same for saturated outputs on every backend.

    Arguments and configs are those of Keras's class,
    https://keras.io/api/losses/probabilistic_losses.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value per sample, in nats, of targets and predictions of shape ``(n, ..., classes)``."""
        return super().call(y_true, without_history(y_pred))


@keras.saving.register_keras_serializable(PACKAGE)
class SparseCategoricalCrossentropyOfProbabilities(keras.losses.SparseCategoricalCrossentropy):  # type: ignore[misc]  # keras has no complete types
    """``keras.losses.SparseCategoricalCrossentropy``, the same for saturated outputs everywhere.

    Arguments and configs are those of Keras's class,
    https://keras.io/api/losses/probabilistic_losses.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value per sample, in nats, of labels ``(n, ...)`` and predictions ``(n, ..., classes)``."""
        return super().call(y_true, without_history(y_pred))


@keras.saving.register_keras_serializable(PACKAGE)
class CrossentropyByShape(keras.losses.Loss):  # type: ignore[misc]  # keras has no complete types
    """What ``"crossentropy"`` stands for in Keras's ``compile``, the same on every backend.

    One column of predictions means binary; labels without a column for each class mean sparse categorical;
    else it is categorical.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value per sample, in nats, of predictions of shape ``(n, ..., k)``."""
        if y_pred.shape[-1] == 1:
            chosen: Any = BinaryCrossentropyOfProbabilities
        elif len(y_true.shape) < len(y_pred.shape) or y_true.shape[-1] == 1:
            chosen = SparseCategoricalCrossentropyOfProbabilities
        else:
            chosen = CategoricalCrossentropyOfProbabilities
        return chosen(dtype=self.dtype).call(y_true, y_pred)
