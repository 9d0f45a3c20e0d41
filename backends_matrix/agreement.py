"""Levels, noise floor and verdicts. NumPy only: judging is apart from running.

Level 0 compares digests of what goes into a training: any difference is an error. Level 2 compares metrics,
epoch by epoch, against a noise floor: how far replicas, which are rounded otherwise at every step
(``portable_models.training.rounding``), have drifted apart by that epoch. A fixed tolerance would be
vacuous where training is stable and flaky where it is chaotic.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from backends_matrix.noise import families, floor_of, series
from backends_matrix.result import CellResult


class Agreement(StrEnum):
    """The verdict of one comparison."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True)
class Judgement:
    """What a verdict rests on.

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


@dataclass(frozen=True)
class Comparison:
    """One quantity of one cell held against the reference; the fields are those of ``report.json``.

    Args:
        level: 0 (digests) or 2 (metrics).
        experiment: name of the experiment.
        variant: name of the variant.
        quantity: digest or metric.
        epoch: epoch from 1, or None for what has no epoch.
        reference: backend that is compared with.
        backend: backend that is judged.
        pipeline: pipeline of the judged cell.
        difference: absolute difference; 0 or 1 for digests.
        tolerance: largest difference that passes.
        smallest_passing: smallest tolerance that would have passed.
        verdict: agrees, differs or undecidable.
        why: how the tolerance came about.
        step: at level 1, how many steps were made before the one that is compared.
    """

    level: int
    experiment: str
    variant: str
    quantity: str
    epoch: int | None
    reference: str
    backend: str
    pipeline: str
    difference: float
    tolerance: float
    smallest_passing: float
    verdict: Agreement
    why: str
    step: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The comparison as ``report.json`` holds it."""
        found = {**asdict(self), "verdict": self.verdict.value}
        for name in ("difference", "tolerance", "smallest_passing"):
            # A result that is no number is infinitely far away; JSON has no such number.
            found[name] = found[name] if math.isfinite(found[name]) else None
        return found


def judge(
    results: Iterable[CellResult], reference: str, judgement: Judgement | None = None
) -> list[Comparison]:
    """Compare every cell with the reference cell of its variant.

    Args:
        results: all results of a run; those that are not ok are left out, as they have nothing to compare.
        reference: the reference backend. The reference cell of a variant is its first cell on this backend
            that is not a replica.
        judgement: what verdicts rest on.

    Returns:
        Every comparison that could be made.
    """
    settings = judgement or Judgement()
    comparisons: list[Comparison] = []
    for cells in _by_variant(result for result in results if result.ok).values():
        originals = [each for each in cells if not each.cell.replica]
        base = next((each for each in originals if each.cell.backend == reference), None)
        if base is None:
            continue
        groups = families(cells)
        for other in originals:
            if other is not base:
                comparisons += compare_digests(base, other)
                comparisons += compare_metrics(base, other, groups, settings)
    return comparisons


def compare_digests(base: CellResult, other: CellResult) -> list[Comparison]:
    """Level 0: every digest that either of two cells has must be there and equal in both."""
    return [
        _comparison(
            base,
            other,
            level=0,
            quantity=quantity,
            epoch=None,
            difference=float(base.digests.get(quantity) != other.digests.get(quantity)),
            tolerance=0.0,
            undecidable=False,
            why="digests are equal or the inputs were not the same",
        )
        for quantity in sorted({*base.digests, *other.digests})
        if base.digests.get(quantity) or other.digests.get(quantity)
    ]


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
            for index in range(min(a.size, b.size)):
                value = float(a[index])
                tolerance, why = _tolerance(quantity, value, float(floor[index]), base, judgement)
                comparisons.append(
                    _comparison(
                        base,
                        other,
                        level=2,
                        quantity=quantity,
                        epoch=index + 1 if source == "history" else None,
                        difference=abs(value - float(b[index])),
                        tolerance=tolerance,
                        undecidable=tolerance > _effect(quantity, value, judgement),
                        why=why,
                    )
                )
    return comparisons


def _other_length(
    base: CellResult, other: CellResult, quantity: str, ours: int, theirs: int
) -> Comparison:
    """A metric that one cell measured more often than the other, or not at all."""
    return _comparison(
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
        least, why = (
            units * max(abs(value), 1e-3),
            f"{judgement.operations:g} units of float32 rounding",
        )
    if noise > least:
        return noise, f"{judgement.safety:g} x the replicas' distance of {floor:.2e}"
    return least, why


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


def _by_variant(results: Iterable[CellResult]) -> dict[tuple[str, str], list[CellResult]]:
    groups: dict[tuple[str, str], list[CellResult]] = {}
    for result in results:
        groups.setdefault((result.cell.experiment, result.cell.variant), []).append(result)
    return groups


def _comparison(
    base: CellResult,
    other: CellResult,
    *,
    level: int,
    quantity: str,
    epoch: int | None,
    difference: float,
    tolerance: float,
    undecidable: bool,
    why: str,
) -> Comparison:
    verdict = Agreement.UNDECIDABLE if undecidable else Agreement.AGREES
    return Comparison(
        level,
        base.cell.experiment,
        base.cell.variant,
        quantity,
        epoch,
        base.cell.backend,
        other.cell.backend,
        other.cell.pipeline,
        difference,
        tolerance,
        difference,
        verdict if difference <= tolerance else Agreement.DIFFERS,
        why,
    )
