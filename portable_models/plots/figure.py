"""What a figure shows, as data: which curves of which variants, without any drawing library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

# One number per epoch; None where the run produced no finite number (JSON has no NaN).
Series: TypeAlias = Sequence[float | None]
History: TypeAlias = Mapping[str, Series]


class CurveStyle(StrEnum):
    """How the points of a curve are joined: by custom, training as dots, validation as a line."""

    LINE = "line"
    DOTS = "dots"


LARGEST = 1e100
"""What is beyond it, on either side, is not drawn: Matplotlib computes with products of such numbers."""


def drawable(values: Series) -> list[float | None]:
    """The values, with None for those that no axis can hold."""
    return [None if value is None or not abs(value) <= LARGEST else value for value in values]


@dataclass(frozen=True)
class Curve:
    """One quantity of one variant, over epochs.

    Args:
        variant: name of the variant whose history holds the quantity.
        quantity: key of the history, for instance ``"val_loss"``.
        label: what the legend says.
        style: ``"line"`` or ``"dots"``.

    Raises:
        ValueError: ``style`` is neither.
    """

    variant: str
    quantity: str
    label: str
    style: CurveStyle = CurveStyle.LINE

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "style", CurveStyle(self.style))
        except ValueError:
            raise ValueError(
                f"the style of a curve is 'line' or 'dots'; "
                f"the curve {self.label!r} has {self.style!r}"
            ) from None

    def to_json(self) -> dict[str, Any]:
        """The curve as a JSON object."""
        return {
            "variant": self.variant,
            "quantity": self.quantity,
            "label": self.label,
            "style": self.style.value,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Curve:
        """The curve that :meth:`to_json` wrote; keys that it does not know are ignored.

        Raises:
            KeyError: a key is missing.
            ValueError: the style is unknown.
        """
        return cls(record["variant"], record["quantity"], record["label"], record["style"])


@dataclass(frozen=True)
class Figure:
    """A plot of curves over epochs.

    Args:
        name: short name, used for the file.
        title: heading of the plot.
        x_label: label of the horizontal axis.
        y_label: label of the vertical axis.
        curves: what is drawn.
        skip_first: how many epochs are left out at the start, before smoothing.
        smoothing: factor of the exponential moving average, in [0, 1), or None for raw points.

    Raises:
        ValueError: there is no curve, ``skip_first`` is negative or ``smoothing`` out of range.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    skip_first: int = 0
    smoothing: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "curves", tuple(self.curves))
        if not self.curves:
            raise ValueError(f"figure {self.name!r} has no curves; give it at least one Curve")
        if self.skip_first < 0:
            raise ValueError(
                "skip_first is a number of epochs, 0 or more; "
                f"figure {self.name!r} has {self.skip_first}"
            )
        if self.smoothing is not None:
            _check_factor(self.smoothing)

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants that the figure shows, each once, in the order of the curves."""
        return tuple(dict.fromkeys(curve.variant for curve in self.curves))

    def points(self, curve: Curve, history: History) -> tuple[list[int], list[float | None]]:
        """The epochs (from 1) and values of a curve, after skipping and smoothing.

        Returns:
            Two lists of one length; both are empty where the history lacks the quantity. What is too large
            to be drawn is None.
        """
        values = list(history.get(curve.quantity, ()))[self.skip_first :]
        if self.smoothing is not None:
            values = exponential_moving_average(values, self.smoothing)
        first = self.skip_first + 1
        return list(range(first, first + len(values))), drawable(values)

    def to_json(self) -> dict[str, Any]:
        """The figure as a JSON object."""
        return {
            "name": self.name,
            "title": self.title,
            "x_label": self.x_label,
            "y_label": self.y_label,
            "curves": [curve.to_json() for curve in self.curves],
            "skip_first": self.skip_first,
            "smoothing": self.smoothing,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Figure:
        """The figure that :meth:`to_json` wrote; keys that it does not know are ignored.

        Raises:
            KeyError: a key is missing.
            ValueError: a value is out of range.
        """
        return cls(
            name=record["name"],
            title=record["title"],
            x_label=record["x_label"],
            y_label=record["y_label"],
            curves=tuple(Curve.from_json(curve) for curve in record["curves"]),
            skip_first=record["skip_first"],
            smoothing=record["smoothing"],
        )


@dataclass(frozen=True)
class Band:
    """How far from the reference a curve may lie and still agree with it.

    Args:
        half_widths: the tolerance of each epoch, from epoch 1; None where there is none.
        undecidable_from: first epoch (from 1) where a difference proves nothing, or None.
    """

    half_widths: tuple[float | None, ...]
    undecidable_from: int | None = None


def exponential_moving_average(points: Series, factor: float) -> list[float | None]:
    """Smooth a series: ``smoothed[i] = smoothed[i - 1] * factor + points[i] * (1 - factor)``.

    The first smoothed point is the first point. This is the smoothing of the published figure of
    the Boston experiment (F. Chollet, *Deep Learning with Python*, section 3.6.4, factor 0.9);
    single exponential smoothing in the NIST/SEMATECH e-Handbook of Statistical Methods, 6.4.3.1
    (https://www.itl.nist.gov/div898/handbook/pmc/section4/pmc431.htm), has ``alpha = 1 - factor``.

    A missing point stays missing and leaves the average as it was.

    Example:
        >>> exponential_moving_average([4.0, 2.0, 2.0], 0.5)
        [4.0, 3.0, 2.5]

    Raises:
        ValueError: ``factor`` is not in [0, 1).
    """
    _check_factor(factor)
    smoothed: list[float | None] = []
    previous: float | None = None
    for point in points:
        if point is not None:
            previous = point if previous is None else previous * factor + point * (1 - factor)
        smoothed.append(None if point is None else previous)
    return smoothed


def _check_factor(factor: float) -> None:
    if not 0 <= factor < 1:
        raise ValueError(f"a smoothing factor is at least 0 and below 1; got {factor}")
