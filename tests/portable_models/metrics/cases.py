"""What each metric is computed on, in two batches."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import reference
from .reference import mean_of

SAMPLES, CLASSES = 10, 4
BATCHES = (slice(0, 5), slice(5, 10))
# Quarters, so that sums of weights are exact in float32 and only the metric itself rounds.
WEIGHTS = np.array([0.5, 2.0, 1.0, 0.0, 1.5, 1.0, 0.25, 3.0, 0.75, 1.25], dtype="float32")
WHOLE_WEIGHTS = np.array([1, 2, 1, 0, 3, 1, 1, 2, 1, 4], dtype="int32")
_RNG = np.random.default_rng(20240301)


def _float32(values):
    return np.asarray(values, dtype="float32")


NUMBERS = _float32(_RNG.normal(size=(SAMPLES, 3)))
OTHER_NUMBERS = _float32(_RNG.normal(size=(SAMPLES, 3)))
POSITIVE = _float32(_RNG.uniform(0.5, 2.0, (SAMPLES, 3)))
OTHER_POSITIVE = _float32(_RNG.uniform(0.5, 2.0, (SAMPLES, 3)))
BITS = _float32(_RNG.integers(0, 2, (SAMPLES, 3)))
CHANCES = _float32(_RNG.uniform(0.05, 0.95, (SAMPLES, 3)))
LABELS = _RNG.integers(0, CLASSES, SAMPLES)
ONE_HOT = _float32(np.eye(CLASSES)[LABELS])
LOGITS = _float32(_RNG.normal(size=(SAMPLES, CLASSES)))
SOFT = _float32(_RNG.dirichlet(np.ones(CLASSES), SAMPLES) * 0.9 + 0.1 / CLASSES)
OTHER_SOFT = _float32(_RNG.dirichlet(np.ones(CLASSES), SAMPLES) * 0.9 + 0.1 / CLASSES)
OTHER_LABELS = np.where(_RNG.random(SAMPLES) < 0.6, LABELS, _RNG.integers(0, CLASSES, SAMPLES))
ANSWER, CHANCE = BITS[:, 0], CHANCES[:, 0]
NINETEENTHS = np.arange(20) / 19


@dataclass(frozen=True, eq=False)
class MetricCase:
    """A metric, by name and arguments, on samples, with what the reference makes of them.

    ``magnitude`` is the largest number met on the way, which a rounding error is relative to.
    """

    name: str
    y_true: np.ndarray
    y_pred: np.ndarray
    metric: Callable[..., Any]
    arguments: dict[str, Any] = field(default_factory=dict)
    variant: str = ""
    magnitude: float = 1.0
    weights: np.ndarray = field(default_factory=lambda: WEIGHTS)

    def expected(self, weights=None):
        weights = np.ones(SAMPLES) if weights is None else weights
        arrays = (self.y_true, self.y_pred, weights)
        return self.metric(*(np.asarray(array, "float64") for array in arrays))

    def __str__(self):
        return "-".join(filter(None, (self.name, self.variant)))


def _of(y_true, y_pred, entries):
    return [
        MetricCase(name, y_true, y_pred, metric, **dict(zip(fields, rest, strict=False)))
        for name, metric, *rest in entries
        for fields in [("arguments", "variant", "magnitude", "weights")]
    ]


REGRESSION = _of(
    NUMBERS,
    OTHER_NUMBERS,
    [
        ("MeanSquaredError", mean_of(lambda y, p: (y - p) ** 2), {}, "", 10),
        ("MeanAbsoluteError", mean_of(lambda y, p: np.abs(y - p))),
        (
            "RootMeanSquaredError",
            lambda y, p, w: np.sqrt(mean_of(lambda y, p: (y - p) ** 2)(y, p, w)),
        ),
        ("CosineSimilarity", mean_of(reference.cosine)),
        ("LogCoshError", mean_of(lambda y, p: np.log(np.cosh(y - p))), {}, "", 4),
        ("huber", mean_of(reference.huber)),
        ("R2Score", reference.r_squared, {}, "", 4),
        ("PearsonCorrelation", mean_of(reference.pearson)),
        ("ConcordanceCorrelation", mean_of(reference.concordance)),
        ("MeanRelativeError", reference.relative_error(2.0), {"normalizer": 2.0}, "scalar"),
        (
            "MeanRelativeError",
            reference.relative_error([1.0, 2.0, 4.0]),
            {"normalizer": [1.0, 2.0, 4.0]},
            "features",
        ),
    ],
)
POSITIVES = _of(
    POSITIVE,
    OTHER_POSITIVE,
    [
        (
            "MeanAbsolutePercentageError",
            mean_of(lambda y, p: 100 * np.abs((y - p) / y)),
            {},
            "",
            100,
        ),
        ("MeanSquaredLogarithmicError", mean_of(reference.squared_logarithmic)),
        ("Poisson", mean_of(lambda y, p: p - y * np.log(p))),
    ],
)
BINARY = _of(
    BITS,
    CHANCES,
    [
        ("BinaryAccuracy", mean_of(lambda y, p: y == (p > 0.5))),
        (
            "BinaryAccuracy",
            mean_of(lambda y, p: y == (p > 0.3)),
            {"threshold": 0.3},
            "low",
        ),
        ("BinaryCrossentropy", mean_of(reference.binary_crossentropy)),
        ("Hinge", mean_of(lambda y, p: np.maximum(1 - (2 * y - 1) * p, 0))),
        ("SquaredHinge", mean_of(lambda y, p: np.maximum(1 - (2 * y - 1) * p, 0) ** 2)),
        ("TruePositives", reference.count(0)),
        ("FalsePositives", reference.count(1)),
        ("TrueNegatives", reference.count(2)),
        ("FalseNegatives", reference.count(3)),
        (
            "FalseNegatives",
            reference.count(3, (0.2, 0.5, 0.9)),
            {"thresholds": [0.2, 0.5, 0.9]},
            "thresholds",
        ),
        ("Precision", reference.precision),
        (
            "Precision",
            lambda y, p, w: reference.precision(y, p, w, NINETEENTHS),
            {"thresholds": NINETEENTHS.tolist()},
            "even_thresholds",
        ),
        ("Recall", reference.recall),
        (
            "AUC",
            reference.area_under_roc_of_labels,
            {"multi_label": True, "num_labels": 3},
            "labels",
        ),
    ],
)
ANSWERS = _of(
    ANSWER,
    CHANCE,
    [
        ("AUC", reference.area_under_roc),
        (
            "AUC",
            lambda *given: reference.area_under_roc(*given, 20, "lower"),
            {"num_thresholds": 20, "summation_method": "minoring"},
            "lower",
        ),
        (
            "AUC",
            lambda *given: reference.area_under_roc(*given, 20, "upper"),
            {"num_thresholds": 20, "summation_method": "majoring"},
            "upper",
        ),
        ("AUC", reference.area_under_precision_recall, {"curve": "PR"}, "precision_recall"),
        *(
            (
                name,
                reference.best(found, wanted, 0.61, NINETEENTHS),
                {found: 0.61, "num_thresholds": 20},
            )
            for name, found, wanted in (
                ("SensitivityAtSpecificity", "specificity", "sensitivity"),
                ("SpecificityAtSensitivity", "sensitivity", "specificity"),
                ("PrecisionAtRecall", "recall", "precision"),
                ("RecallAtPrecision", "precision", "recall"),
            )
        ),
        (
            "BinaryIoU",
            lambda y, p, w: reference.intersection_over_union(2)(y, p >= 0.4, w),
            {"threshold": 0.4, "dtype": "float32"},
        ),
    ],
)
CATEGORICAL = _of(
    ONE_HOT,
    SOFT,
    [
        ("CategoricalAccuracy", mean_of(lambda y, p: y.argmax(-1) == p.argmax(-1))),
        ("CategoricalCrossentropy", mean_of(reference.categorical_crossentropy)),
        ("CategoricalHinge", mean_of(reference.categorical_hinge)),
        (
            "TopKCategoricalAccuracy",
            mean_of(lambda y, p: reference.rank_of_target(y.argmax(-1), p) < 2),
            {"k": 2},
        ),
        ("Precision", reference.top_k_precision(2), {"top_k": 2}, "top_k"),
        (
            "Recall",
            reference.of_class(1, lambda y, p, w: reference.recall(y, p, w, (0.2,))),
            {"class_id": 1, "thresholds": 0.2},
            "one_class",
        ),
        ("F1Score", reference.f_beta(1.0)),
        ("FBetaScore", reference.f_beta(2.0), {"beta": 2.0}),
        (
            "OneHotIoU",
            reference.of_arguments(reference.intersection_over_union(CLASSES, [0, 2])),
            {"num_classes": CLASSES, "target_class_ids": [0, 2], "dtype": "float32"},
        ),
        (
            "OneHotMeanIoU",
            reference.of_arguments(reference.intersection_over_union(CLASSES)),
            {"num_classes": CLASSES, "dtype": "float32"},
        ),
    ],
)
SPARSE = _of(
    LABELS,
    SOFT,
    [
        ("SparseCategoricalAccuracy", mean_of(lambda y, p: y == p.argmax(-1))),
        ("SparseCategoricalCrossentropy", mean_of(reference.sparse_categorical_crossentropy)),
        (
            "SparseTopKCategoricalAccuracy",
            mean_of(lambda y, p: reference.rank_of_target(y, p) < 3),
            {"k": 3},
        ),
    ],
)
CLASSES_OF_BOTH = _of(
    LABELS,
    OTHER_LABELS,
    [
        ("Accuracy", mean_of(lambda y, p: y == p)),
        (
            "MeanIoU",
            reference.intersection_over_union(CLASSES),
            {"num_classes": CLASSES},
            "",
            1.0,
            WHOLE_WEIGHTS,
        ),
        (
            "MeanIoU",
            reference.intersection_over_union(CLASSES),
            {"num_classes": CLASSES, "dtype": "float32"},
            "fractions",
        ),
        (
            "IoU",
            reference.intersection_over_union(CLASSES, [1, 3]),
            {"num_classes": CLASSES, "target_class_ids": [1, 3], "dtype": "float32"},
        ),
    ],
)
DISTRIBUTIONS = _of(
    SOFT,
    OTHER_SOFT,
    [("KLDivergence", mean_of(lambda y, p: (y * np.log(y / p)).sum(-1)))],
)
CASES = [
    *REGRESSION,
    *POSITIVES,
    *BINARY,
    *ANSWERS,
    *CATEGORICAL,
    *SPARSE,
    *CLASSES_OF_BOTH,
    *DISTRIBUTIONS,
]
