"""The planted faults: where each shows, and what the verifier must say of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """A planted fault.

    Args:
        name: name of the function in ``faults`` that plants it.
        variant: variant of the study that it shows in.
        kind: the kind of difference that must be reported.
        title: what is wrong, for people.
    """

    name: str
    variant: str
    kind: str
    title: str


FAULTS = (
    Fault("rmsprop_epsilon", "rmsprop", "optimizer", "RMSprop: epsilon 1e-5 for 1e-7"),
    Fault("rmsprop_rho", "rmsprop", "optimizer", "RMSprop: rho 0.91 for 0.9"),
    Fault("learning_rate", "rmsprop", "optimizer", "learning rate a thousandth too large"),
    Fault("momentum", "sgd", "optimizer", "SGD: momentum 0.91 for 0.9"),
    Fault("nesterov", "sgd", "optimizer", "SGD: plain momentum for Nesterov's"),
    Fault("clipping", "sgd", "optimizer", "gradient clipping ignored"),
    Fault("schedule", "sgd", "optimizer", "schedule one step ahead"),
    Fault("bias_correction", "adam", "optimizer", "Adam: no bias correction"),
    Fault("weight_decay", "adamw", "optimizer", "weight decay: biases left out"),
    Fault("reduction", "rmsprop", "loss", "loss summed, not averaged"),
    Fault("from_logits", "rmsprop", "loss", "probabilities taken for logits"),
    Fault("label_smoothing", "rmsprop", "loss", "labels smoothed by 0.01"),
    Fault("sample_weights", "weighted", "loss", "sample weights ignored"),
    Fault("penalty_factor", "penalty", "loss", "L2 penalty a hundredth too large"),
    Fault("penalty_missing", "penalty", "loss", "L2 penalty missing"),
    Fault("activation_slope", "norm", "forward", "LeakyReLU: slope 0.201 for 0.2"),
    Fault("dropout_rate", "dropout", "randomness", "Dropout: rate 0.29 for 0.3"),
    Fault("dropout_scaling", "dropout", "forward", "Dropout: what is kept is not scaled up"),
    Fault("norm_momentum", "norm", "statistics", "BatchNormalization: momentum 0.98 for 0.99"),
    Fault("norm_epsilon", "norm", "forward", "BatchNormalization: epsilon 0.0011 for 0.001"),
    Fault("norm_stale", "norm", "statistics", "BatchNormalization: stale statistics"),
    Fault("initializer_scale", "rmsprop", "randomness", "initial weights a thousandth too large"),
    Fault("swapped_pair", "rmsprop", "order", "two samples change places"),
    Fault("last_batch", "rmsprop", "batches", "last batch dropped"),
    Fault("fold_boundary", "folds", "batches", "folds begin one row late"),
    Fault("deviation", "folds", "batches", "standardised with the deviation of a sample"),
    Fault("rounded_early", "folds", "batches", "standardised in float32, not in float64"),
    Fault("threshold", "rmsprop", "metric", "accuracy with threshold 0.55"),
    Fault("averaged_over_batches", "rmsprop", "metric", "metrics averaged over batches"),
    Fault("short_mantissa", "rmsprop", "forward", "products of 10-bit mantissas, as TF32"),
)
