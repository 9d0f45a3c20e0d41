"""The margin: how far results may be apart and still count as equivalent. It is declared before any run."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends_matrix.errors import CallError

Values = NDArray[np.float64]
"""One result per seed, shape ``(seeds,)``."""

_FORM = re.compile(r"(?P<number>\d+(\.\d*)?([eE]-?\d+)?|\.\d+)\s*(?P<unit>%|pt)?")
ACCURACIES = (
    "accuracy",
    "acc",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
)
"""Metrics that are a share of right answers; with a prefix such as ``val_`` too."""


class MarginKind(StrEnum):
    """What a margin is measured in."""

    RELATIVE = "relative"
    ABSOLUTE = "absolute"


@dataclass(frozen=True)
class Margin:
    """A margin around the mean of the reference.

    Args:
        value: above 0; a share of the reference's mean, or a number in the metric's own unit.
        kind: which of both.
    """

    value: float
    kind: MarginKind

    @classmethod
    def parse(cls, text: str) -> Margin:
        """Read a margin as it is written on the command line.

        Args:
            text: ``2%`` of the reference's mean, ``0.05`` in the metric's unit, or ``1pt``, which is 0.01:
                one percentage point of an accuracy.

        Raises:
            CallError: another form, zero, or 100 % and more.

        Example:
            >>> Margin.parse("2%")
            Margin(value=0.02, kind=<MarginKind.RELATIVE: 'relative'>)
        """
        found = _FORM.fullmatch(text.strip())
        if not found:
            raise CallError(
                f"the margin {text!r} is not understood: expected a percentage of the reference's mean "
                "(2%), percentage points of an accuracy (1pt), or a number in the metric's unit (0.05)"
            )
        number, unit = float(found["number"]), found["unit"]
        value = number / 100 if unit else number
        if not (0 < value < math.inf):
            raise CallError(
                f"the margin {text!r} must be above 0, as no test shows equality itself"
            )
        if unit and value >= 1:
            raise CallError(f"the margin {text!r} must be below 100: anything would be within it")
        return cls(value, MarginKind.RELATIVE if unit == "%" else MarginKind.ABSOLUTE)

    def check_metric(self, metric: str) -> None:
        """Refuse a margin that holds every value of a metric.

        Raises:
            CallError: an absolute margin of 1 or more for an accuracy, which lies between 0 and 1.
        """
        if self.kind is MarginKind.ABSOLUTE and is_accuracy(metric) and self.value >= 1:
            raise CallError(
                f"the margin {self.value:g} for {metric} holds every value between 0 and 1; "
                f"write {self.value:g}% or {self.value:g}pt"
            )

    def of(self, reference: Values) -> Values:
        """The margin of each seed, in the metric's unit.

        A relative margin is a share of each seed's own reference result, so that a test of its mean has the
        declared error rate although the reference's mean is itself an estimate.
        """
        if self.kind is MarginKind.ABSOLUTE:
            return np.full_like(reference, self.value)
        return self.value * reference * (1.0 if reference.mean() >= 0 else -1.0)

    def to_text(self) -> str:
        """The margin for people."""
        if self.kind is MarginKind.RELATIVE:
            return f"{100 * self.value:g} % of the reference's mean"
        return f"{self.value:g}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"value": self.value, "kind": self.kind.value}


def is_accuracy(metric: str) -> bool:
    """True where a metric is a share of right answers."""
    return metric in ACCURACIES or any(metric.endswith(f"_{name}") for name in ACCURACIES)
