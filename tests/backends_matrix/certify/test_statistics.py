"""The tests themselves, against SciPy, statsmodels and published numbers."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from backends_matrix.certify.margin import Margin
from backends_matrix.certify.statistics import (
    NotComparableError,
    compare_counts,
    compare_pairs,
    divergence_p,
    holm,
    ratio_interval,
)

from .made_up import paired

ABSOLUTE, RELATIVE = Margin.parse("0.05"), Margin.parse("2%")
SEEDS = range(6)


def drawn(seed, seeds=15, **choices):
    return paired(np.random.default_rng(seed), seeds, **choices)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_test_of_means_is_that_of_statsmodels(seed):
    reference, other = drawn(seed)
    expected = ttost_paired(other, reference, -0.05, 0.05)[0]
    assert compare_pairs(reference, other, ABSOLUTE, 0.05).equivalence == pytest.approx(expected)


@pytest.mark.parametrize("margin", [ABSOLUTE, RELATIVE], ids=["absolute", "relative"])
@pytest.mark.parametrize("seed", range(40))
def test_the_interval_is_within_the_margin_where_and_only_where_the_test_rejects(seed, margin):
    reference, other = drawn(seed, shift=0.03)
    found = compare_pairs(reference, other, margin, 0.05)
    inside = -margin.value < found.interval[0] and found.interval[1] < margin.value
    assert inside == (found.equivalence < 0.05)
    outside = found.wide_interval[0] > margin.value or found.wide_interval[1] < -margin.value
    assert outside == (found.difference < 0.05)


def test_the_intervals_decide_both_ways_in_the_test_above():
    decided = [
        compare_pairs(*drawn(seed, shift=0.03), RELATIVE, 0.05).equivalence < 0.05
        for seed in range(40)
    ]
    assert 0 < sum(decided) < 40


def test_the_ratio_interval_is_that_of_bootstrapped_ratios():
    reference, other = drawn(3, seeds=200, noise=0.1, shift=0.05)
    found = compare_pairs(reference, other, RELATIVE, 0.05).interval
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 200, (4000, 200))
    ratios = (other - reference)[rows].mean(axis=1) / reference[rows].mean(axis=1)
    # 4,000 resamples place a 5 % quantile to about 0.04 standard errors.
    error = ratios.std()
    assert found == pytest.approx(tuple(np.quantile(ratios, (0.05, 0.95))), abs=0.15 * error)


def test_the_test_of_ranks_is_wilcoxons_against_each_end_of_the_margin():
    reference, other = drawn(1, seeds=12)
    differences = other - reference
    expected = max(
        stats.wilcoxon(differences + 0.05, alternative="greater").pvalue,
        stats.wilcoxon(differences - 0.05, alternative="less").pvalue,
    )
    assert compare_pairs(reference, other, ABSOLUTE, 0.05).equivalence_by_ranks == expected


def test_one_wild_seed_does_not_pass_by_ranks_alone():
    reference, other = drawn(0, seeds=20, noise=0.001)
    other[7] += 3.0
    found = compare_pairs(reference, other, ABSOLUTE, 0.05)
    assert found.equivalence_by_ranks < 0.001
    assert found.equivalence_p > 0.05


def test_identical_sides_are_equivalent_beyond_doubt_but_for_the_number_of_seeds():
    values = np.array([2.0, 2.5, 3.0, 2.2, 2.4, 2.6])
    found = compare_pairs(values, values, ABSOLUTE, 0.05)
    assert found.equivalence == 0.0
    assert found.equivalence_by_ranks == pytest.approx(2.0**-6)
    assert found.interval == (0.0, 0.0)
    assert found.correlation == pytest.approx(1.0)
    assert found.seeds_share == 0.0


def test_a_constant_difference_on_the_margin_is_not_within_it():
    values = np.array([2.0, 2.5, 3.0, 2.25, 2.5, 2.75])
    found = compare_pairs(values, values + 0.25, Margin.parse("0.25"), 0.05)
    assert found.equivalence == 1.0


def test_sides_that_do_not_vary_have_no_correlation():
    found = compare_pairs(np.full(8, 2.0), np.full(8, 2.001), ABSOLUTE, 0.05)
    assert found.correlation is None
    assert found.seeds_share is None


def test_a_share_of_a_mean_that_may_be_zero_is_no_margin():
    rng = np.random.default_rng(0)
    with pytest.raises(NotComparableError, match="give a margin in the metric's own unit"):
        compare_pairs(rng.normal(0, 1, 20), rng.normal(0, 1, 20), RELATIVE, 0.05)


def test_a_negative_metric_is_judged_as_its_mirror_image():
    reference, other = drawn(2, shift=0.02)
    plain = compare_pairs(reference, other, RELATIVE, 0.05)
    mirrored = compare_pairs(-reference, -other, RELATIVE, 0.05)
    assert mirrored.equivalence == pytest.approx(plain.equivalence)
    assert mirrored.estimate == pytest.approx(-plain.estimate)
    assert mirrored.interval == pytest.approx((-plain.interval[1], -plain.interval[0]))


def test_the_correction_is_holms():
    # Holm (1979): the smallest times 3, the next times 2, never below one before.
    assert holm([0.01, 0.04, 0.03], 0.05) == pytest.approx([0.03, 0.06, 0.06])


def test_counts_are_whole_right_answers():
    found = compare_counts(
        np.array([0.8, 0.7]), np.array([0.8, 0.8]), Margin.parse("10pt"), samples=10
    )
    assert (found.reference, found.other, found.answers) == (15, 16, 20)


def test_counts_of_float32_accuracies_are_found():
    rng = np.random.default_rng(0)
    right = rng.integers(20_000, 25_000, 30)
    accuracies = (right.astype("float32") / np.float32(25_000)).astype(float)
    found = compare_counts(accuracies, accuracies, Margin.parse("1pt"), samples=25_000)
    assert found.reference == right.sum()
    assert found.equivalence < 1e-6


@pytest.mark.parametrize("samples", [0, 30])
def test_means_over_folds_are_no_counts(samples):
    values = np.array([0.8, 0.77])
    assert compare_counts(values, values, Margin.parse("1pt"), samples) is None


def test_seeds_that_diverge_on_one_side_only_are_told_from_chance():
    assert divergence_p(0, 0) == 1.0
    assert divergence_p(3, 2) > 0.5
    assert divergence_p(0, 10) == pytest.approx(2 * 0.5**10)


def test_results_whose_squares_are_infinite_are_refused():
    values = np.full(6, 1e200)
    with pytest.raises(NotComparableError, match=r"a result of 1e\+200 is too large"):
        compare_pairs(values, values, ABSOLUTE, 0.05)


@pytest.mark.parametrize("size", [1e-200, 1e-3, 1e99, 1e200])
def test_the_ratio_interval_has_no_unit(size):
    rng = np.random.default_rng(3)
    reference = rng.normal(2.0, 0.1, 12)
    other = reference * rng.normal(1.01, 0.002, 12)
    expected = ratio_interval(reference, other, 0.9)
    assert ratio_interval(size * reference, size * other, 0.9) == pytest.approx(expected, rel=1e-9)


def test_accuracies_in_percent_are_no_counts():
    percent = np.array([70.0, 80.0, 90.0])
    assert compare_counts(percent, percent, Margin.parse("1pt"), samples=100) is None
