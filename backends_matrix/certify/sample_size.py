"""How many seeds decide: the power of two one-sided tests, and the number of seeds for a declared power.

The variance comes from a pilot of few seeds and is itself uncertain: the power is averaged over what the
variance may be (Julious and Owen 2006, "Sample size calculations for clinical studies allowing for
uncertainty about the variance", Pharmaceutical Statistics 5, 29-37).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

MOST = 1_000_000
"""No larger number of seeds is looked for."""
RANK_SHARE = math.pi / 3
"""Seeds that the signed-rank test needs, as a multiple of the t-test's, for normal differences."""
_QUANTILES = (np.arange(64) + 0.5) / 64
_FARTHEST = 30.0
"""Noncentrality beyond which a test of any use never fails; SciPy loses digits much farther out."""

Numbers = NDArray[np.float64]


def equivalence_power(
    seeds: int, deviation: Numbers | float, margin: float, alpha: float, effect: float = 0.0
) -> Numbers:
    """The probability that both one-sided t-tests reject.

    A lower bound (Bonferroni's, over both tests); exact where the power is of use.

    Args:
        seeds: number of pairs, at least 2.
        deviation: standard deviation of the differences, above 0.
        margin: absolute.
        alpha: error rate.
        effect: the true mean difference.
    """
    from scipy import stats

    error = np.asarray(deviation, float) / math.sqrt(seeds)
    quantile = stats.t.ppf(1 - alpha, seeds - 1)
    to_upper = np.clip((margin - effect) / error, -_FARTHEST, _FARTHEST)
    to_lower = np.clip((margin + effect) / error, -_FARTHEST, _FARTHEST)
    upper = stats.nct.sf(quantile, seeds - 1, to_upper)
    lower = stats.nct.sf(quantile, seeds - 1, to_lower)
    return np.asarray(np.maximum(0.0, upper + lower - 1.0), float)


def difference_power(
    seeds: int, deviation: Numbers | float, margin: float, alpha: float, effect: float
) -> Numbers:
    """The probability that a mean difference beyond the margin is shown to be there.

    Args:
        seeds: number of pairs, at least 2.
        deviation: standard deviation of the differences, above 0.
        margin: absolute.
        alpha: error rate, of both directions together.
        effect: the true mean difference.
    """
    from scipy import stats

    error = np.asarray(deviation, float) / math.sqrt(seeds)
    quantile = stats.t.ppf(1 - alpha / 2, seeds - 1)
    away = np.clip((abs(effect) - margin) / error, -_FARTHEST, _FARTHEST)
    return np.asarray(stats.nct.sf(quantile, seeds - 1, away), float)


def fewest_by_ranks(alpha: float) -> int:
    """The fewest pairs with which a one-sided signed-rank test can reject at all: ``2 ** -n <= alpha``."""
    return max(2, math.ceil(-math.log2(alpha) - 1e-9))


def seeds_to_decide(
    deviation: float, freedom: int, margin: float, alpha: float, power: float, effect: float = 0.0
) -> int | None:
    """The smallest number of pairs that decides with the declared power.

    Args:
        deviation: standard deviation of the differences, as estimated.
        freedom: degrees of freedom of that estimate, at least 1.
        margin: absolute, above 0.
        alpha: error rate of the claim; divided by the number of claims where there are several.
        power: declared.
        effect: the true mean difference, if not 0. Beyond the margin, the number is for showing a difference.

    Returns:
        None where more than ``MOST`` would be needed.
    """
    from scipy import stats

    differs = abs(effect) > margin
    fewest = fewest_by_ranks(alpha / 2 if differs else alpha)
    if deviation == 0.0:
        return fewest if abs(effect) != margin else None
    deviations = deviation * np.sqrt(freedom / stats.chi2.ppf(_QUANTILES, freedom))
    measure = difference_power if differs else equivalence_power

    def enough(seeds: int) -> bool:
        return float(measure(seeds, deviations, margin, alpha, effect).mean()) >= power

    found = _smallest(enough, _guess(float(deviations.max()), margin, alpha, power, effect))
    return None if found is None else max(fewest, math.ceil(found * RANK_SHARE))


def _guess(deviation: float, margin: float, alpha: float, power: float, effect: float) -> int:
    """About how many pairs decide, by the normal distribution; where the search begins."""
    from scipy import stats

    quantiles = float(stats.norm.ppf(1 - alpha) + stats.norm.ppf((1 + power) / 2))
    room = abs(margin - abs(effect))
    if room * math.sqrt(MOST) <= quantiles * deviation:
        return MOST
    return max(2, math.ceil((quantiles * deviation / room) ** 2 / 2))


def _smallest(enough: Callable[[int], bool], guess: int) -> int | None:
    """The smallest number from 2 to ``MOST`` that is enough; None where none is.

    Args:
        enough: true from some number on.
        guess: where the search begins.
    """
    low, high = 2, guess
    while not enough(high):
        if high >= MOST:
            return None
        low, high = high + 1, min(2 * high, MOST)
    step = max(1, high // 8)
    while low < high and high - step > low and enough(high - step):
        high, step = high - step, 2 * step
    low = max(low, high - step)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return high
