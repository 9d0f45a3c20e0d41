"""What each loss is computed on: float32 numbers that the reference reads as float64."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import reference

SAMPLES, CLASSES = 8, 4
_RNG = np.random.default_rng(20240229)


def _float32(values):
    return np.asarray(values, dtype="float32")


NUMBERS = _float32(_RNG.normal(size=(SAMPLES, 3)))
OTHER_NUMBERS = _float32(_RNG.normal(size=(SAMPLES, 3)))
POSITIVE = _float32(_RNG.uniform(0.5, 2.0, (SAMPLES, 3)))
OTHER_POSITIVE = _float32(_RNG.uniform(0.5, 2.0, (SAMPLES, 3)))
BITS = _float32(_RNG.integers(0, 2, (SAMPLES, 3)))
CHANCES = _float32(_RNG.uniform(0.05, 0.95, (SAMPLES, 3)))
LABELS = np.arange(SAMPLES) % CLASSES
ONE_HOT = _float32(np.eye(CLASSES)[LABELS])
LOGITS = _float32(_RNG.normal(size=(SAMPLES, CLASSES)))
SOFT = _float32(_RNG.dirichlet(np.ones(CLASSES), SAMPLES) * 0.9 + 0.1 / CLASSES)
OTHER_SOFT = _float32(_RNG.dirichlet(np.ones(CLASSES), SAMPLES) * 0.9 + 0.1 / CLASSES)
# The last label has no other sample of its class: its value is masked.
CIRCLE_LABELS = np.array([0, 0, 1, 1, 2, 2, 0, 3])
DIRECTIONS = _RNG.normal(size=(SAMPLES, 3))
DIRECTIONS = _float32(DIRECTIONS / np.linalg.norm(DIRECTIONS, axis=1, keepdims=True))
# Labels with a repeat (2 2), which needs a blank between, and of different lengths, padded with 0.
WORDS = np.array(
    [[1, 2, 3], [2, 2, 0], [3, 0, 0], [1, 2, 1], [3, 3, 0], [2, 1, 0], [1, 1, 0], [2, 3, 0]]
)
SPOKEN = _float32(_RNG.normal(size=(SAMPLES, 6, 4)))
WEIGHTS = _float32([0.5, 2.0, 1.0, 0.0, 1.5, 1.0, 0.25, 3.0])
IGNORED = np.where(LABELS == 2, -1, LABELS)


@dataclass(frozen=True, eq=False)
class LossCase:
    """A loss, by name and arguments, on numbers, with what the reference makes of them.

    ``magnitude`` is the largest number met on the way, which a rounding error is relative to.
    """

    name: str
    y_true: np.ndarray
    y_pred: np.ndarray
    values: Callable[..., np.ndarray]
    arguments: dict[str, Any] = field(default_factory=dict)
    formula: dict[str, Any] | None = None
    mask: np.ndarray | None = None
    magnitude: float = 1.0
    variant: str = ""

    def expected(self, y_pred=None):
        y_pred = self.y_pred if y_pred is None else y_pred
        arguments = self.arguments if self.formula is None else self.formula
        return self.values(
            np.asarray(self.y_true, "float64"), np.asarray(y_pred, "float64"), **arguments
        )

    def __str__(self):
        return "-".join(filter(None, (self.name, self.variant)))


def _case(name, y_true, y_pred, values, variant="", **rest):
    return LossCase(name, y_true, y_pred, values, variant=variant, **rest)


CASES = [
    _case("MeanSquaredError", NUMBERS, OTHER_NUMBERS, reference.mean_squared_error, magnitude=10),
    _case("MeanAbsoluteError", NUMBERS, OTHER_NUMBERS, reference.mean_absolute_error),
    _case(
        "MeanAbsolutePercentageError",
        POSITIVE,
        OTHER_POSITIVE,
        reference.mean_absolute_percentage_error,
        magnitude=100,
    ),
    _case(
        "MeanSquaredLogarithmicError",
        POSITIVE,
        OTHER_POSITIVE,
        reference.mean_squared_logarithmic_error,
    ),
    _case("Huber", NUMBERS, OTHER_NUMBERS, reference.huber),
    _case("Huber", NUMBERS, OTHER_NUMBERS, reference.huber, "narrow", arguments={"delta": 0.5}),
    _case("LogCosh", NUMBERS, OTHER_NUMBERS, reference.log_cosh, magnitude=4),
    _case("CosineSimilarity", NUMBERS, OTHER_NUMBERS, reference.cosine_similarity),
    _case("Hinge", 2 * BITS - 1, OTHER_NUMBERS, reference.hinge),
    _case("Hinge", BITS, OTHER_NUMBERS, reference.hinge, "bits"),
    _case("SquaredHinge", 2 * BITS - 1, OTHER_NUMBERS, reference.squared_hinge, magnitude=10),
    _case("CategoricalHinge", ONE_HOT, LOGITS, reference.categorical_hinge),
    _case("KLDivergence", SOFT, OTHER_SOFT, reference.kl_divergence),
    _case("Poisson", POSITIVE, OTHER_POSITIVE, reference.poisson),
    _case("BinaryCrossentropy", BITS, CHANCES, reference.binary_crossentropy),
    _case(
        "BinaryCrossentropy",
        BITS,
        NUMBERS,
        reference.binary_crossentropy,
        "logits",
        arguments={"from_logits": True},
    ),
    _case(
        "BinaryCrossentropy",
        BITS,
        CHANCES,
        reference.binary_crossentropy,
        "smoothed",
        arguments={"label_smoothing": 0.2},
    ),
    _case("BinaryFocalCrossentropy", BITS, CHANCES, reference.binary_focal_crossentropy),
    _case(
        "BinaryFocalCrossentropy",
        BITS,
        CHANCES,
        reference.binary_focal_crossentropy,
        "balanced",
        arguments={"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5},
        formula={"alpha": 0.3, "gamma": 1.5},
    ),
    _case("CategoricalCrossentropy", ONE_HOT, SOFT, reference.categorical_crossentropy),
    _case(
        "CategoricalCrossentropy",
        ONE_HOT,
        LOGITS,
        reference.categorical_crossentropy,
        "logits",
        arguments={"from_logits": True},
    ),
    _case(
        "CategoricalCrossentropy",
        ONE_HOT,
        SOFT,
        reference.categorical_crossentropy,
        "smoothed",
        arguments={"label_smoothing": 0.2},
    ),
    _case("CategoricalFocalCrossentropy", ONE_HOT, SOFT, reference.categorical_focal_crossentropy),
    _case("SparseCategoricalCrossentropy", LABELS, SOFT, reference.sparse_categorical_crossentropy),
    _case(
        "SparseCategoricalCrossentropy",
        LABELS,
        LOGITS,
        reference.sparse_categorical_crossentropy,
        "logits",
        arguments={"from_logits": True},
    ),
    _case(
        "SparseCategoricalCrossentropy",
        IGNORED,
        LOGITS,
        reference.sparse_categorical_crossentropy,
        "ignoring",
        arguments={"from_logits": True, "ignore_class": -1},
        formula={"from_logits": True},
        mask=IGNORED >= 0,
    ),
    _case(
        "CategoricalGeneralizedCrossEntropy",
        LABELS,
        SOFT,
        reference.categorical_generalized_cross_entropy,
    ),
    _case("CTC", WORDS, SPOKEN, reference.ctc, magnitude=16),
    _case("Dice", BITS, CHANCES, reference.dice),
    _case("Dice", BITS, CHANCES, reference.dice, "rows", arguments={"axis": (1,)}),
    _case("Tversky", BITS, CHANCES, reference.tversky),
    _case(
        "Tversky",
        BITS,
        CHANCES,
        reference.tversky,
        "rows",
        arguments={"axis": (1,), "alpha": 0.3, "beta": 0.7},
    ),
    # The scale 80 stands before similarities of order 1, in the exponent.
    _case(
        "Circle",
        CIRCLE_LABELS,
        DIRECTIONS,
        reference.circle,
        mask=CIRCLE_LABELS != 3,
        magnitude=160,
    ),
]
# The project's own: the same formulas, wherever no output is saturated.
OWN_CASES = [
    *(
        dataclasses.replace(case, name=f"{case.name}OfProbabilities")
        for case in CASES
        if case.name.endswith("Crossentropy") and case.name != "CategoricalFocalCrossentropy"
    ),
    _case("CrossentropyByShape", BITS[:, :1], CHANCES[:, :1], reference.binary_crossentropy, "one"),
    _case("CrossentropyByShape", ONE_HOT, SOFT, reference.categorical_crossentropy, "one_hot"),
    _case("CrossentropyByShape", LABELS, SOFT, reference.sparse_categorical_crossentropy, "labels"),
]
