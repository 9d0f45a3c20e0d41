"""Models that change their own training, in the two ways that are the same on every backend.

``train_step`` itself is not portable: it takes ``(state, data)`` and returns ``(logs, state)`` on
JAX, and takes ``(data)`` and returns logs elsewhere, and its gradient is the framework's own. Two
things are:

- **override** ``compute_loss``: Keras differentiates whatever it returns, on every backend;
- **wrap** ``train_step``: take its arguments as they come, change only the last one (the data), and
  hand all of them on to ``super()``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


class _DenseClassifier(keras.Model):  # type: ignore[misc]  # keras has no complete types
    """What both examples are: one relu layer and a softmax."""

    def __init__(
        self, features: int = 8, *, units: int = 16, classes: int = 3, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.features, self.units, self.classes = features, units, classes
        self.hidden = layers.Dense(units, activation="relu", name="hidden")
        self.probabilities = layers.Dense(classes, activation="softmax", name="probabilities")
        self.hidden.build((None, features))
        self.probabilities.build((None, units))
        self.build((None, features))

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Nothing is left to build: both layers have their weights."""
        del input_shape
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Probabilities ``(n, classes)`` of rows ``(n, features)``."""
        return self.probabilities(self.hidden(inputs))

    def get_config(self) -> dict[str, Any]:
        """Everything that ``__init__`` takes."""
        own = {"features": self.features, "units": self.units, "classes": self.classes}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("portable_models")
class ConfidencePenaltyClassifier(_DenseClassifier):
    """A classifier that is punished for being too sure: an overridden ``compute_loss``.

    From the compiled loss it takes ``penalty`` times the mean entropy of the predictions. Pereyra
    et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", equation 2,
    https://arxiv.org/abs/1701.06548

    Args:
        features: how many features a row has.
        units: width of the hidden relu layer.
        classes: how many classes there are.
        penalty: factor of the entropy; 0 leaves the compiled loss.
        **kwargs: ``name``, ``dtype`` and ``trainable`` of ``keras.Model``.
    """

    def __init__(
        self,
        features: int = 8,
        *,
        units: int = 16,
        classes: int = 3,
        penalty: float = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__(features, units=units, classes=classes, **kwargs)
        self.penalty = penalty

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The compiled loss, less ``penalty`` times the mean entropy of ``y_pred``, in nats."""
        compiled = super().compute_loss(x, y, y_pred, sample_weight, training)
        likely = ops.clip(y_pred, keras.config.epsilon(), 1.0)
        entropy = -ops.sum(y_pred * ops.log(likely), axis=-1)
        return compiled - self.penalty * ops.mean(entropy)

    def get_config(self) -> dict[str, Any]:
        """Everything that ``__init__`` takes."""
        return {**super().get_config(), "penalty": self.penalty}


@keras.saving.register_keras_serializable("portable_models")
class MixupClassifier(_DenseClassifier):
    """A classifier trained on blends of samples: a ``train_step`` that is portable by wrapping.

    Each sample is blended with its mirror image in the batch: ``share`` of itself and the rest of
    the other, targets alike. Zhang et al., "mixup", section 2, https://arxiv.org/abs/1710.09412,
    with the share fixed and the partner chosen by position, so that nothing is drawn at random.

    Args:
        features: how many features a row has.
        units: width of the hidden relu layer.
        classes: how many classes there are; targets are one-hot.
        share: weight of a sample itself, in [0, 1]; 1 trains as usual.
        **kwargs: ``name``, ``dtype`` and ``trainable`` of ``keras.Model``.
    """

    def __init__(
        self,
        features: int = 8,
        *,
        units: int = 16,
        classes: int = 3,
        share: float = 0.75,
        **kwargs: Any,
    ) -> None:
        super().__init__(features, units=units, classes=classes, **kwargs)
        self.share = share

    def train_step(self, *arguments: Any) -> Any:
        """One step on blended data; arguments and result are those of the backend's own step."""
        *state, data = arguments
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        blended = keras.utils.pack_x_y_sample_weight(self._blend(x), self._blend(y), sample_weight)
        return super().train_step(*state, blended)

    def _blend(self, rows: Any) -> Any:
        rows = ops.convert_to_tensor(rows)  # on torch, train_on_batch hands on NumPy arrays
        return self.share * rows + (1.0 - self.share) * ops.flip(rows, axis=0)

    def get_config(self) -> dict[str, Any]:
        """Everything that ``__init__`` takes."""
        return {**super().get_config(), "share": self.share}
