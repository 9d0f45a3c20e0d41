"""Models that mean the same on every backend. Each function builds a new one."""

from portable_models.models.boston import boston_regressor
from portable_models.models.imdb import (
    REGULARIZATION_VARIANTS,
    imdb_classifier,
    regularization_variant,
)
from portable_models.models.mnist import (
    MnistClassifier,
    mnist_functional,
    mnist_sequential,
    mnist_subclassed,
)
from portable_models.models.own_training import ConfidencePenaltyClassifier, MixupClassifier
from portable_models.models.several import (
    SEVERAL_LOSS_WEIGHTS,
    SEVERAL_LOSSES,
    several_compiled,
    several_inputs_outputs,
)
from portable_models.models.vanilla import vanilla, vanilla_compiled

__all__ = [
    "REGULARIZATION_VARIANTS",
    "SEVERAL_LOSSES",
    "SEVERAL_LOSS_WEIGHTS",
    "ConfidencePenaltyClassifier",
    "MixupClassifier",
    "MnistClassifier",
    "boston_regressor",
    "imdb_classifier",
    "mnist_functional",
    "mnist_sequential",
    "mnist_subclassed",
    "regularization_variant",
    "several_compiled",
    "several_inputs_outputs",
    "vanilla",
    "vanilla_compiled",
]
