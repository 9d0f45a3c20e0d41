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
        place: what the path of the layer, operation or variable that is named must hold; empty where a fault
            has no such place.
        module: module of this package that holds the function.
    """

    name: str
    variant: str
    kind: str
    title: str
    place: str = ""
    module: str = "faults"

    @property
    def setup(self) -> str:
        """The function that plants it, as a worker's ``--setup`` takes it."""
        return f"backends_matrix.selftest.{self.module}:{self.name}"


UNREPEATABLE = "unrepeatable"
"""The kind of a training that draws from outside of Keras, found by running its first steps twice."""


def _in_layer(name: str, variant: str, kind: str, title: str, place: str) -> Fault:
    return Fault(name, variant, kind, title, place, "layer_faults")


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
    Fault("short_mantissa", "rmsprop", "forward", "products of 10-bit mantissas, as TF32", "dense"),
    Fault("adam_epsilon", "adam", "optimizer", "Adam: epsilon 1e-6 for 1e-7"),
    Fault("adam_beta", "adam", "optimizer", "Adam: beta_2 0.99 for 0.999"),
    Fault("decay_rate", "adamw", "optimizer", "weight decay: 0.11 for 0.1"),
    Fault("normalised_weights", "weighted", "loss", "sample weights divided by their mean"),
    _in_layer(
        "attention_scale", "attention", "forward", "attention: scale off by 1 %", "attention"
    ),
    _in_layer(
        "layer_norm_epsilon",
        "attention",
        "forward",
        "LayerNormalization: epsilon 0.0011 for 0.001",
        "layer_normalization",
    ),
    _in_layer("gelu_approximated", "attention", "forward", "gelu by tanh", "activation"),
    _in_layer(
        "softmax_operation", "attention", "forward", "softmax in a layer of one's own", "softmax"
    ),
    _in_layer(
        "pooled_steps", "attention", "forward", "mean over time without the last step", "pooling"
    ),
    _in_layer("lstm_gates", "recurrent", "forward", "LSTM: hard sigmoids", "lstm"),
    _in_layer("gru_gates", "recurrent", "forward", "GRU: hard sigmoids", "gru"),
    _in_layer(
        "lstm_forget_bias", "recurrent", "randomness", "LSTM: forget gate's bias 0 for 1", ""
    ),
    _in_layer("convolution_shifted", "picture", "forward", "convolution one pixel off", "conv2d"),
    _in_layer("pooling_mean", "picture", "forward", "pooling: mean off by 0.1 %", "pooling"),
    _in_layer("rescaling", "picture", "forward", "Rescaling: 0.2002 for 0.2", "rescaling"),
    _in_layer(
        "layer_norm_backwards",
        "attention",
        "gradient",
        "LayerNormalization: gradient off by 1 %",
        "layer_normalization",
    ),
    _in_layer("lstm_backwards", "recurrent", "gradient", "LSTM: gradient off by 1 %", "lstm"),
    _in_layer(
        "embedding_backwards", "words", "gradient", "Embedding: half its gradient", "embedding"
    ),
    _in_layer(
        "gradient_lost",
        "squares",
        "gradient",
        "gradient not a number",
        "layer_normalization",
    ),
    _in_layer(
        "embedding_update", "words", "optimizer", "Embedding: update off by 10 %", "embeddings"
    ),
    _in_layer("bias_update", "norm", "optimizer", "one variable moved twice as far", "beta"),
    _in_layer("constraint", "words", "optimizer", "constraint of a kernel ignored", "kernel"),
    _in_layer(
        "norm_unbiased", "norm", "forward", "BatchNormalization: variance of a sample", "batch_norm"
    ),
    _in_layer("python_random", "picture", UNREPEATABLE, "noise from Python's random", "rescaling"),
    _in_layer("numpy_random", "attention", UNREPEATABLE, "noise from NumPy", "activation"),
)
