"""Faults, planted in one backend's worker once keras is imported: mistakes of a kind that is made."""

from __future__ import annotations

from typing import Any

from backends_matrix.selftest.planting import around, everywhere, settings


def _shifted_count(steps: int) -> None:
    """Optimizers that believe to have made more steps than they have."""
    import keras

    def apply(original: Any, self: Any, *arguments: Any, **given: Any) -> None:
        before = keras.ops.convert_to_numpy(self.iterations.value)
        self._iterations.assign(before + steps)
        original(self, *arguments, **given)
        self._iterations.assign(before + 1)

    around(keras.optimizers.Optimizer, "apply", apply)


def _penalty(factor: float) -> None:
    import keras

    def call(original: Any, self: Any, x: Any) -> Any:
        return original(self, x) * factor

    around(keras.regularizers.L2, "__call__", call)


def rmsprop_epsilon() -> None:
    """RMSprop's epsilon is 1e-5."""
    settings("optimizers.RMSprop", epsilon=1e-5)


def rmsprop_rho() -> None:
    """RMSprop forgets a little more slowly."""
    settings("optimizers.RMSprop", rho=0.91)


def learning_rate() -> None:
    """The learning rate is a thousandth too large."""
    settings("optimizers.RMSprop", learning_rate=0.001001)


def momentum() -> None:
    """SGD's momentum is 0.91."""
    settings("optimizers.SGD", momentum=0.91)


def nesterov() -> None:
    """SGD's momentum is not Nesterov's."""
    settings("optimizers.SGD", nesterov=False)


def clipping() -> None:
    """Gradients are not clipped."""
    settings("optimizers.SGD", clipnorm=None)


def schedule() -> None:
    """The schedule is one step ahead."""
    _shifted_count(1)


def bias_correction() -> None:
    """Adam's means are taken as if they had been gathered for long."""
    _shifted_count(10_000)


def weight_decay() -> None:
    """Biases are not decayed."""
    import keras

    def use(original: Any, self: Any, variable: Any) -> Any:
        # TensorFlow's own variables come here, which have a name and no path.
        return "bias" not in getattr(variable, "path", variable.name) and original(self, variable)

    around(keras.optimizers.Optimizer, "_use_weight_decay", use)


def reduction() -> None:
    """The loss is summed over the batch."""
    settings("losses.BinaryCrossentropy", reduction="sum")


def from_logits() -> None:
    """Probabilities are taken for logits."""
    settings("losses.BinaryCrossentropy", from_logits=True)


def label_smoothing() -> None:
    """Labels are smoothed by a hundredth."""
    settings("losses.BinaryCrossentropy", label_smoothing=0.01)


def sample_weights() -> None:
    """The loss does not look at sample weights."""
    import keras

    def call(original: Any, self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        del sample_weight
        return original(self, y_true, y_pred)

    around(keras.losses.Loss, "__call__", call)


def penalty_factor() -> None:
    """The L2 penalty is a hundredth too large."""
    _penalty(1.01)


def penalty_missing() -> None:
    """There is no L2 penalty."""
    _penalty(0.0)


def activation_slope() -> None:
    """LeakyReLU leaks a little more."""
    settings("layers.LeakyReLU", negative_slope=0.201)


def dropout_rate() -> None:
    """Dropout drops a little less."""
    settings("layers.Dropout", rate=0.29)


def dropout_scaling() -> None:
    """Dropout does not scale up what it keeps."""
    import keras

    def call(original: Any, self: Any, inputs: Any, training: bool = False) -> Any:
        found = original(self, inputs, training=training)
        return found * (1.0 - self.rate) if training else found

    around(keras.layers.Dropout, "call", call)


def norm_momentum() -> None:
    """BatchNormalization forgets twice as fast."""
    settings("layers.BatchNormalization", momentum=0.98)


def norm_epsilon() -> None:
    """BatchNormalization's epsilon is a tenth larger."""
    settings("layers.BatchNormalization", epsilon=0.0011)


def norm_stale() -> None:
    """BatchNormalization does not update its statistics."""
    settings("layers.BatchNormalization", momentum=1.0)


def initializer_scale() -> None:
    """glorot_uniform draws a thousandth wider."""
    import keras

    def call(original: Any, self: Any, shape: Any, dtype: Any = None) -> Any:
        return original(self, shape, dtype) * 1.001

    around(keras.initializers.GlorotUniform, "__call__", call)


def swapped_pair() -> None:
    """Two samples change places in every epoch."""
    import numpy as np

    from portable_models.data import order

    original = order.epoch_order

    def swapped(count: int, **given: Any) -> Any:
        found = np.array(original(count, **given))
        found[[0, -1]] = found[[-1, 0]]
        return found

    everywhere(original, swapped)


def last_batch() -> None:
    """The last batch of an epoch is dropped."""
    from portable_models.training.engines.engine import Job

    def order(original: Any, self: Any, epoch: int) -> Any:
        size = self.settings.batch_size
        return original(self, epoch)[: len(self.samples) // size * size]

    around(Job, "order", order)


def fold_boundary() -> None:
    """Folds begin one row late."""
    from portable_models.training import cross_validation

    original = cross_validation.fold_indices

    def shifted(count: int, folds: int) -> Any:
        return [((train + 1) % count, (held + 1) % count) for train, held in original(count, folds)]

    everywhere(original, shifted)


def deviation() -> None:
    """Features are divided by the deviation of a sample, not of the population."""
    import numpy as np

    from portable_models.data import standardise as original

    def other(training: Any, *others: Any) -> Any:
        factor = np.float32(np.sqrt((len(training) - 1) / len(training)))
        return [part * factor for part in original(training, *others)]

    everywhere(original, other)


def rounded_early() -> None:
    """Features are standardised in float32, not in float64."""
    from portable_models.data import standardise as original

    def other(training: Any, *others: Any) -> Any:
        mean, width = training.mean(axis=0), training.std(axis=0)
        return [(part - mean) / width for part in (training, *others)]

    everywhere(original, other)


def threshold() -> None:
    """The accuracy's threshold is 0.55."""
    settings("metrics.BinaryAccuracy", threshold=0.55)


def averaged_over_batches() -> None:
    """A metric's batches count alike, whatever their size."""
    import keras

    def update(original: Any, self: Any, values: Any, sample_weight: Any = None) -> Any:
        del sample_weight
        return original(self, keras.ops.mean(values))

    around(keras.metrics.Mean, "update_state", update)


def short_mantissa() -> None:
    """Round the inputs of a matrix product to 10 bits, as TF32 does."""
    import keras

    def rounded(array: Any) -> Any:
        # Veltkamp's splitting keeps the leading 24 - 13 bits.
        product = array * (2.0**13 + 1.0)
        return product - (product - array)

    def call(original: Any, self: Any, inputs: Any, training: Any = None) -> Any:
        del original, training
        found = keras.ops.matmul(rounded(inputs), rounded(self.kernel)) + self.bias
        return self.activation(found)

    around(keras.layers.Dense, "call", call)


def adam_epsilon() -> None:
    """Adam's epsilon is 1e-6."""
    settings("optimizers.Adam", epsilon=1e-6)


def adam_beta() -> None:
    """Adam forgets squares ten times as fast."""
    settings("optimizers.Adam", beta_2=0.99)


def decay_rate() -> None:
    """AdamW decays a tenth more."""
    settings("optimizers.AdamW", weight_decay=0.11)


def normalised_weights() -> None:
    """Sample weights are divided by their mean in each batch."""
    import keras

    def call(original: Any, self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if sample_weight is not None:
            sample_weight = sample_weight / keras.ops.mean(sample_weight)
        return original(self, y_true, y_pred, sample_weight)

    around(keras.losses.Loss, "__call__", call)
