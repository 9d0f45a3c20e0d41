"""Level 2: metrics, epoch by epoch, against a noise floor. NumPy only.

The noise floor is how far replicas, which round differently at every step
(``portable_models.training.rounding``), have drifted apart by that epoch. A fixed tolerance would be vacuous
where training is stable and flaky where training is chaotic.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backends_matrix.judge.comparison import Comparison, make_comparison
from backends_matrix.judge.noise import floor_of, series
from backends_matrix.run.result import CellResult


@dataclass(frozen=True)
class Judgement:
    """Factors of the tolerances of level 2.

    Args:
        safety: how many times the replicas' largest distance a backend may be away. How far rounding
            carries a training is a matter of chance, and where training is chaotic it spreads over
            orders of magnitude; the largest distance of a few replicas is below the largest there is.
            8 is three doublings of a distance that doubles every few epochs.
        operations: units in the last place by which one step's metric may differ through the order of
            summation alone (dot products of up to 10,000 terms, pairwise summed: about log2(10,000) = 14,
            rounded up to 16).
        samples: how many samples may fall on the other side of a threshold through rounding; fewer, down to
            none, where so many would be more than ``effect_accuracy``.
        effect: relative change of a metric that matters to its user; where the tolerance is above it,
            agreement says nothing, and the verdict is "undecidable".
        effect_accuracy: the same for accuracies, absolute.
        vouching: how many times the reference's own noise floor that of another backend may count, None for
            any. A backend that is not the same from one training to the next has a floor of its own making,
            which must not speak for it; sound ones are within the spread that ``safety`` allows for.
    """

    safety: float = 8.0
    operations: float = 16.0
    samples: int = 2
    effect: float = 0.05
    effect_accuracy: float = 0.01
    vouching: float | None = 8.0


def compare_metrics(
    base: CellResult,
    other: CellResult,
    groups: Sequence[Sequence[CellResult]],
    judgement: Judgement,
) -> list[Comparison]:
    """Level 2: every metric of every epoch, and the final ones, against the noise floor.

    A metric that one of the two measured more often than the other is a difference of its own.

    Args:
        base: what is compared with.
        other: what is judged.
        groups: families of replicas that measure the noise floor (see ``noise.families``).
        judgement: what verdicts rest on.
    """
    comparisons = []
    for source in ("history", "final"):
        ours, theirs = series(base, source), series(other, source)
        for quantity in dict.fromkeys([*ours, *theirs]):
            a, b = ours.get(quantity, np.empty(0)), theirs.get(quantity, np.empty(0))
            if a.size != b.size:
                comparisons.append(_other_length(base, other, quantity, a.size, b.size))
            reference, vouching = base.cell.backend, judgement.vouching
            floor = floor_of(groups, source, quantity, a.size, reference, vouching)
            mixed = _not_always_finite(groups, source, quantity, a.size)
            undecided = False  # at the epoch before
            for index in range(min(a.size, b.size)):
                value, theirs_now = float(a[index]), float(b[index])
                epoch = index + 1 if source == "history" else None
                if not (math.isfinite(value) and math.isfinite(theirs_now)):
                    comparisons.append(
                        _without_number(
                            base,
                            other,
                            quantity,
                            epoch,
                            (value, theirs_now),
                            # Rounding decides where trainings run away only once it has decided before.
                            bool(mixed[index]) and undecided,
                        )
                    )
                    continue
                tolerance, why = _tolerance(quantity, value, float(floor[index]), base, judgement)
                undecided = tolerance > _effect(quantity, value, judgement)
                comparisons.append(
                    make_comparison(
                        base,
                        other,
                        level=2,
                        quantity=quantity,
                        epoch=epoch,
                        difference=abs(value - theirs_now),
                        tolerance=tolerance,
                        undecidable=undecided,
                        why=why,
                    )
                )
    return comparisons


def _not_always_finite(
    groups: Sequence[Sequence[CellResult]], source: str, quantity: str, length: int
) -> NDArray[np.bool_]:
    """Where some member of a family has a finite number and another has none; bool of shape ``(length,)``."""
    found = np.zeros(length, bool)
    for members in groups:
        values = [series(each, source).get(quantity) for each in members]
        finite = [np.isfinite(each) for each in values if each is not None and each.size == length]
        if finite:
            found |= np.any(finite, axis=0) & ~np.all(finite, axis=0)
    return found


def _without_number(
    base: CellResult,
    other: CellResult,
    quantity: str,
    epoch: int | None,
    values: tuple[float, float],
    mixed: bool,
) -> Comparison:
    """A value that is not finite (NaN, infinity) on one of the two, or on both."""
    lacking = [
        each.cell.backend
        for each, value in zip((base, other), values, strict=True)
        if not math.isfinite(value)
    ]
    both = len(lacking) == len(values)
    why = (
        "neither has a finite number there"
        if both
        else f"{lacking[0]} alone has no finite number there"
    )
    if mixed and not both:
        why += "; nor have some replicas, where rounding alone is not the same"
    return make_comparison(
        base,
        other,
        level=2,
        quantity=quantity,
        epoch=epoch,
        difference=0.0 if both else math.inf,
        tolerance=math.inf if mixed and not both else 0.0,
        undecidable=mixed and not both,
        why=why,
    )


def _other_length(
    base: CellResult, other: CellResult, quantity: str, ours: int, theirs: int
) -> Comparison:
    """A metric that one cell measured more often than the other, or not at all."""
    return make_comparison(
        base,
        other,
        level=2,
        quantity=f"number of values of {quantity}",
        epoch=None,
        difference=float(abs(ours - theirs)),
        tolerance=0.0,
        undecidable=False,
        why=f"both must measure it equally often; {ours} and {theirs} values came",
    )


def _tolerance(
    quantity: str, value: float, floor: float, base: CellResult, judgement: Judgement
) -> tuple[float, str]:
    """The largest difference that passes, and how it came about."""
    noise = judgement.safety * floor
    if "accuracy" in quantity:
        # Rounding moves a prediction over the threshold or it does not: accuracies move by whole samples.
        count = _count(quantity, base)
        moved = min(judgement.samples, int(judgement.effect_accuracy * count))
        least = moved / count + 2.0 * float(np.finfo(np.float32).eps)
        why = f"{moved} of {count} samples at the threshold"
    else:
        units = judgement.operations * float(np.finfo(np.float32).eps)
        scale = max(abs(value), _terms(quantity, base), 1e-3)
        least = units * scale
        why = f"{judgement.operations:g} units of float32 rounding at {scale:.2g}"
    if noise > least:
        return noise, f"{judgement.safety:g} x the replicas' distance of {floor:.2e}"
    return least, why


def _terms(quantity: str, base: CellResult) -> float:
    """The size of the terms that a metric is summed from: its largest value in the training, at most 1.

    A loss that has fallen to 1e-7 is still computed from outputs near 1, whose rounding errors are near
    1e-7 too.
    """
    name = re.sub(r"^(val|test|mean|fold_\d+)_", "", quantity)
    points = [*base.history.get(quantity, ()), *base.history.get(name, ())]
    finite = [abs(each) for each in points if each is not None and math.isfinite(each)]
    return min(1.0, max(finite, default=0.0))


def _effect(quantity: str, value: float, judgement: Judgement) -> float:
    return judgement.effect_accuracy if "accuracy" in quantity else judgement.effect * abs(value)


def _count(quantity: str, base: CellResult) -> int:
    samples: Mapping[str, int] = base.outcome.get("samples", {})
    part = (
        "validation"
        if quantity.startswith("val_")
        else "test"
        if quantity.startswith("test_")
        else "train"
    )
    return max(samples.get(part, 1), 1)
