"""How far a result may be from the judge's, and why. NumPy only.

A backend computes in float32 what the judge computes in float64. The tolerance has two parts: some units
in the last place of the largest number, which any sum may lose, and a multiple of how far the result
moves, in float32, when every number that goes in moves by one unit in the last place. A badly conditioned
model moves far and is allowed much; a well conditioned one is held to a few units. No tolerance comes from
how far other backends are
off: they may share a fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

EPSILON = 2.0**-23
"""One unit in the last place of 1 in float32."""

UNITS = 32.0
"""Units in the last place of a result's largest number. A sum of n numbers loses about sqrt(n) of them,
and the longest that layers of small models make are of some 1,000 numbers."""

GROUP_UNITS = 2.0
"""Units of the largest number of all results of a kind: what is exactly zero, such as the gradient of a
bias before a normalisation, is left over as rounding errors of numbers of that size."""

STEP_UNITS = 1000.0
"""Units of the size of optimizer steps: the bias correction 1 - 0.999 of Adam's first step, in float32, is
off by half a unit of 1, which is 500 of its own."""

MOVEMENT = 24.0
"""A backend rounds after every operation and not only at the border. In a sum of n numbers of random sign the
partial sums, which are rounded, are sqrt(n) times as large as the numbers: 24 to 32 times for the longest
sums of small models, such as a kernel's gradient over all positions of an image.
"""


@dataclass(frozen=True)
class Distance:
    """One array of one backend against the judge's.

    Args:
        name: which array.
        difference: largest absolute difference; infinite where shapes, or the places of NaN, differ.
        tolerance: what is allowed.
        note: what else was seen, such as NaN on both sides.
    """

    name: str
    difference: float
    tolerance: float
    note: str = ""

    @property
    def agrees(self) -> bool:
        """Whether it is within its tolerance."""
        return self.difference <= self.tolerance

    @property
    def ratio(self) -> float:
        """The difference in tolerances, to find the worst of several."""
        return (
            self.difference / self.tolerance
            if self.tolerance
            else (np.inf if self.difference else 0.0)
        )


def largest_magnitude(arrays: Sequence[Array]) -> float:
    """The largest finite absolute value."""
    found = 0.0
    for array in arrays:
        if array.dtype.kind in "fc" and array.size:
            finite = np.abs(array[np.isfinite(array)])
            found = max(found, float(finite.max(initial=0.0)))
    return found


def compare(
    mine: Mapping[str, Array],
    judge: Mapping[str, Array],
    moves: Sequence[Mapping[str, Array]],
    *,
    own: Mapping[str, Array] | None = None,
    epsilon: float = EPSILON,
    spans: Mapping[str, Array] | None = None,
) -> list[Distance]:
    """Every array of a backend against the judge's of the same name.

    Args:
        mine: the backend's.
        judge: the judge's.
        moves: of each backend, how far each array moves.
        own: this backend's movements where they count by themselves: after several steps, an adaptive
            optimizer makes whole steps of rounding errors that another backend does not have.
        epsilon: one unit in the last place of 1.
        spans: how far steps have carried each array.
    """
    group = largest_magnitude(list(judge.values()))
    found = []
    for name, exact in judge.items():
        if name not in mine:
            found.append(Distance(name, np.inf, 0.0, "missing"))
            continue
        known = [float(np.nan_to_num(each[name])) for each in moves if name in each]
        move = float(np.median(known)) if known else 0.0
        if own is not None and name in own:
            move = max(move, float(np.nan_to_num(own[name])))
        scale = largest_magnitude([exact])
        span = float(np.nan_to_num(spans[name])) if spans and name in spans else 0.0
        tolerance = (
            epsilon * (UNITS * scale + GROUP_UNITS * group + STEP_UNITS * span) + MOVEMENT * move
        )
        found.append(distance(name, mine[name], exact, tolerance))
    return found


def distance(name: str, mine: Array, exact: Array, tolerance: float) -> Distance:
    """One array against another: NaN and infinities agree where both have them at the same places."""
    if mine.shape != exact.shape:
        return Distance(name, np.inf, tolerance, f"shape {mine.shape}, not {exact.shape}")
    if mine.dtype.kind not in "fc" or exact.dtype.kind not in "fc":
        unequal = int(np.count_nonzero(mine != exact))
        # A whole number that changes when its inputs move by a unit cannot be held to anything.
        return Distance(
            name, float(unequal), np.inf if tolerance >= 1.0 else 0.0, "entries that differ"
        )
    first, second = mine.astype(np.float64), exact.astype(np.float64)
    # What overflows in float32 alone is no difference of backends.
    huge = np.abs(second) > np.finfo(np.float32).max
    overflown = huge & np.isfinite(second)
    second = np.where(huge, np.copysign(np.inf, second), second)
    special = ~np.isfinite(first) | ~np.isfinite(second)
    if special.any():
        # What goes on from an overflow is not a number, one step later.
        same = (np.isnan(first) & (np.isnan(second) | overflown)) | (first == second)
        if not same[special].all():
            return Distance(name, np.inf, tolerance, _special(first, second))
        plain = ~special
        difference = float(np.abs(first[plain] - second[plain]).max(initial=0.0))
        kind = "NaN" if np.isnan(first[special]).any() else "infinity"
        return Distance(name, difference, tolerance, f"{kind} on both sides, at the same places")
    return Distance(name, float(np.abs(first - second).max(initial=0.0)), tolerance)


def _special(mine: Array, exact: Array) -> str:
    counts = [int(np.count_nonzero(~np.isfinite(each))) for each in (mine, exact)]
    return f"{counts[0]} numbers are NaN or infinite here, {counts[1]} in the judge"


def judges_agree(
    first: Mapping[str, Array], second: Mapping[str, Array], moves: Sequence[Mapping[str, Array]]
) -> bool:
    """Whether two judges mean the same: within a tenth of what float32 is allowed.

    It is no less because Keras reduces a loss in float32 in places, whatever its inputs are.
    """
    return all(each.difference <= each.tolerance * 0.1 for each in compare(first, second, moves))
