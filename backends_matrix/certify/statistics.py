"""Tests on paired results: two one-sided tests of means and of ranks, intervals, and counts.

Schuirmann (1987), "A comparison of the two one-sided tests procedure and the power approach for assessing
the equivalence of average bioavailability", J. Pharmacokinetics and Biopharmaceutics 15, 657-680. For a
margin that is a share of the reference's mean: Fieller (1954), "Some problems in interval estimation",
J. Royal Statistical Society B 16, 175-185.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backends_matrix.certify.margin import Margin, MarginKind, Values

_CONSTANT = 1e-13
"""Below this share of the largest value, a standard deviation is rounding and no noise."""
_WHOLE = 0.01
"""How far accuracy times samples may be from a whole number: a float32 rounds by 6e-8 of 25,000 samples."""
Interval = tuple[float, float]


_LARGEST = 1e100
"""Squares of larger results may be infinite."""


class NotComparableError(ValueError):
    """Results that cannot be tested: a mean that cannot be told from zero, or numbers that are too large."""


@dataclass(frozen=True)
class PairedTests:
    """What the paired results of two sides say; estimate and intervals are in the margin's unit.

    Args:
        estimate: mean difference, other minus reference; for a relative margin, as a share of the
            reference's mean.
        interval: its confidence interval at ``1 - 2 alpha``, which belongs to the test of equivalence.
        wide_interval: at ``1 - alpha``, which belongs to the test of a difference.
        equivalence: p-value of the two one-sided t-tests.
        equivalence_by_ranks: p-value of the two one-sided Wilcoxon signed-rank tests.
        difference: p-value against "the difference is within the margin", by the t-test.
        difference_by_ranks: the same by the signed-rank test.
        deviation: standard deviation of what is tested: differences less the margin.
        correlation: between the sides over the seeds; None where a side does not vary.
        seeds_share: seeds that pairs need, as a share of those that unpaired trainings would; None likewise.
    """

    estimate: float
    interval: Interval
    wide_interval: Interval
    equivalence: float
    equivalence_by_ranks: float
    difference: float
    difference_by_ranks: float
    deviation: float
    correlation: float | None
    seeds_share: float | None

    @property
    def equivalence_p(self) -> float:
        """The larger p-value: equivalence is claimed only where both tests show it."""
        return max(self.equivalence, self.equivalence_by_ranks)

    @property
    def difference_p(self) -> float:
        """The larger p-value: a difference is claimed only where both tests show it."""
        return max(self.difference, self.difference_by_ranks)


def compare_pairs(reference: Values, other: Values, margin: Margin, alpha: float) -> PairedTests:
    """Test the paired results of two sides against a margin.

    Args:
        reference: finite results of the reference, one per seed, shape ``(seeds,)``; at least 2.
        other: results of the other side for the same seeds.
        margin: declared before.
        alpha: error rate of the intervals.

    Raises:
        NotComparableError: a relative margin, and a mean that cannot be told from zero; a result above 1e100.
    """
    largest = float(max(np.abs(reference).max(), np.abs(other).max()))
    if largest > _LARGEST:
        raise NotComparableError(f"a result of {largest:.1g} is too large to be compared")
    differences = other - reference
    margins = margin.of(reference)
    above, below = differences - margins, differences + margins
    relative = margin.kind is MarginKind.RELATIVE
    interval = ratio_interval if relative else mean_interval
    scale = abs(float(reference.mean())) if relative else 1.0
    deviation = max(_deviation(above), _deviation(below))
    narrow = interval(reference, other, 1 - 2 * alpha)
    return PairedTests(
        estimate=float(differences.mean()) / scale,
        interval=narrow,
        wide_interval=interval(reference, other, 1 - alpha),
        equivalence=max(_mean_p(below, "greater"), _mean_p(above, "less")),
        equivalence_by_ranks=max(_rank_p(below, "greater"), _rank_p(above, "less")),
        difference=_doubled(_mean_p(above, "greater"), _mean_p(below, "less")),
        difference_by_ranks=_doubled(_rank_p(above, "greater"), _rank_p(below, "less")),
        deviation=deviation / scale,
        correlation=_correlation(reference, other),
        seeds_share=_seeds_share(reference, other),
    )


def mean_interval(reference: Values, other: Values, level: float) -> Interval:
    """The confidence interval of the mean paired difference, by Student's t."""
    from scipy import stats

    differences = other - reference
    quantile = float(stats.t.ppf((1 + level) / 2, len(differences) - 1))
    half = quantile * _deviation(differences) / math.sqrt(len(differences))
    mean = float(differences.mean())
    return mean - half, mean + half


def ratio_interval(reference: Values, other: Values, level: float) -> Interval:
    """The confidence interval of the mean difference as a share of the reference's mean, after Fieller.

    Raises:
        NotComparableError: the reference's mean cannot be told from zero at this level.
    """
    from scipy import stats

    count, size = len(reference), abs(float(reference.mean()))
    if not size:
        raise NotComparableError(
            "the reference's mean is zero, so a percentage of it is no margin; give a margin in the metric's "
            "own unit"
        )
    # A ratio has no unit: without this, squares of large or small results would leave float64.
    reference, other = reference / size, other / size
    differences = other - reference
    quantile = float(stats.t.ppf((1 + level) / 2, count - 1))
    covariance = np.cov(reference, differences) * quantile**2 / count
    base, mean = float(reference.mean()), float(differences.mean())
    a, b = base**2 - float(covariance[0, 0]), mean * base - float(covariance[0, 1])
    c = mean**2 - float(covariance[1, 1])
    if a <= 0:
        raise NotComparableError(
            f"the reference's mean, {base * size:g}, cannot be told from zero, so a percentage of it is no "
            "margin; give a margin in the metric's own unit"
        )
    root = math.sqrt(max(0.0, b * b - a * c))
    ends = sorted(
        ((b - root) / a * math.copysign(1, base), (b + root) / a * math.copysign(1, base))
    )
    return ends[0], ends[1]


def holm(p_values: Sequence[float], alpha: float) -> list[float]:
    """P-values corrected for the number of claims: Holm (1979), Scandinavian J. of Statistics 6, 65-70."""
    from statsmodels.stats.multitest import multipletests

    return [float(each) for each in multipletests(p_values, alpha=alpha, method="holm")[1]]


@dataclass(frozen=True)
class Counts:
    """Right answers of two sides over all seeds.

    Args:
        reference: right answers of the reference.
        other: right answers of the other side.
        answers: answers of each side: seeds times samples.
        equivalence: p-value of two one-sided tests of the shares (Agresti and Caffo's variance), which takes
            every answer as independent and knows nothing of pairs.
    """

    reference: int
    other: int
    answers: int
    equivalence: float


def compare_counts(reference: Values, other: Values, margin: Margin, samples: int) -> Counts | None:
    """Test the right answers of two sides against a margin.

    Args:
        reference: accuracies of the reference, shape ``(seeds,)``.
        other: those of the other side.
        margin: declared before.
        samples: answers behind each accuracy.

    Returns:
        None where the accuracies are no counts of that many answers, such as means over folds.
    """
    from statsmodels.stats.proportion import tost_proportions_2indep

    right = [values * samples for values in (reference, other)]
    if not samples or any(each.min() < 0 or each.max() > 1 for each in (reference, other)):
        return None
    if any(np.abs(each - each.round()).max() > _WHOLE for each in right):
        return None
    base, changed = (int(each.round().sum()) for each in right)
    answers = samples * len(reference)
    distance = abs(float(margin.of(reference).mean()))
    found = tost_proportions_2indep(changed, answers, base, answers, -distance, distance)
    return Counts(base, changed, answers, float(found.pvalue))


def divergence_p(only_reference: int, only_other: int) -> float:
    """P-value of "one side diverges as often as the other", from the seeds that diverged on one side only.

    McNemar's exact test.
    """
    from scipy import stats

    seeds = only_reference + only_other
    return float(stats.binomtest(only_other, seeds, 0.5).pvalue) if seeds else 1.0


def _deviation(values: Values) -> float:
    """The standard deviation; exactly 0 where it is rounding."""
    found = float(values.std(ddof=1))
    return found if found > _CONSTANT * float(np.abs(values).max()) else 0.0


def _mean_p(values: Values, alternative: str) -> float:
    """One-sided p-value of Student's t-test of a mean against 0."""
    from scipy import stats

    if _deviation(values) == 0.0:
        mean = float(values.mean())
        return 0.0 if (mean > 0 if alternative == "greater" else mean < 0) else 1.0
    return float(stats.ttest_1samp(values, 0.0, alternative=alternative).pvalue)


def _rank_p(values: Values, alternative: str) -> float:
    """One-sided p-value of Wilcoxon's signed-rank test of a centre against 0."""
    from scipy import stats

    if not values.any():
        return 1.0
    return float(stats.wilcoxon(values, alternative=alternative).pvalue)


def _doubled(one: float, other: float) -> float:
    return min(1.0, 2 * min(one, other))


def _correlation(reference: Values, other: Values) -> float | None:
    if not _deviation(reference) or not _deviation(other):
        return None
    return float(np.corrcoef(reference, other)[0, 1])


def _seeds_share(reference: Values, other: Values) -> float | None:
    alone = _deviation(reference) ** 2 + _deviation(other) ** 2
    return _deviation(other - reference) ** 2 / alone if alone else None
