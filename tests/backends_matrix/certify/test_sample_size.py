"""The number of seeds, against a published table, the closed formula and simulation."""

import numpy as np
import pytest
from scipy import stats

from backends_matrix.certify.sample_size import (
    MOST,
    RANK_SHARE,
    difference_power,
    equivalence_power,
    fewest_by_ranks,
    seeds_to_decide,
)

KNOWN_VARIANCE = 10**6
"""Degrees of freedom of a variance that is as good as known."""


def test_many_seeds_come_to_the_closed_formula():
    # (z(0.95) + z(0.95))^2 = 10.82 for alpha 0.05 and power 0.9, per pair: half of 21.6 a side, unpaired.
    expected = (2 * stats.norm.ppf(0.95)) ** 2 * 20**2 * RANK_SHARE
    assert seeds_to_decide(20.0, KNOWN_VARIANCE, 1.0, 0.05, 0.9) == pytest.approx(
        expected, rel=0.002
    )


@pytest.mark.parametrize(("seeds", "deviation"), [(12, 1.0), (30, 1.6)])
@pytest.mark.parametrize("effect", [0.0, 0.3])
def test_the_power_is_what_simulation_finds(seeds, deviation, effect):
    rng = np.random.default_rng(5)
    drawn = rng.normal(effect, deviation, (20_000, seeds))
    error = drawn.std(axis=1, ddof=1) / np.sqrt(seeds)
    half = stats.t.ppf(0.95, seeds - 1) * error
    mean = drawn.mean(axis=1)
    passed = ((mean - half > -1) & (mean + half < 1)).mean()
    # Three standard errors of 20,000 draws at one half.
    assert float(equivalence_power(seeds, deviation, 1.0, 0.05, effect)) == pytest.approx(
        passed, abs=0.011
    )


def test_the_power_to_show_a_difference_is_what_simulation_finds():
    rng = np.random.default_rng(6)
    drawn = rng.normal(1.6, 1.0, (20_000, 20)) - 1.0
    passed = (stats.ttest_1samp(drawn, 0, axis=1, alternative="greater").pvalue < 0.025).mean()
    assert float(difference_power(20, 1.0, 1.0, 0.05, 1.6)) == pytest.approx(passed, abs=0.011)


def test_pairs_need_one_minus_the_correlation_of_the_seeds():
    rho, sigma = 0.9, 10.0
    pairs = seeds_to_decide(sigma * np.sqrt(2 * (1 - rho)), KNOWN_VARIANCE, 1.0, 0.05, 0.9)
    alone = seeds_to_decide(sigma * np.sqrt(2), KNOWN_VARIANCE, 1.0, 0.05, 0.9)
    assert pairs / alone == pytest.approx(1 - rho, rel=0.02)


def test_a_small_pilot_asks_for_more_than_a_known_variance():
    assert seeds_to_decide(2.0, 7, 1.0, 0.05, 0.9) > seeds_to_decide(
        2.0, KNOWN_VARIANCE, 1.0, 0.05, 0.9
    )


def test_an_effect_near_the_margin_needs_more_seeds_on_either_side_of_it():
    within = [seeds_to_decide(1.0, 20, 1.0, 0.05, 0.9, effect) for effect in (0.0, 0.5, 0.9)]
    beyond = [seeds_to_decide(1.0, 20, 1.0, 0.05, 0.9, effect) for effect in (4.0, 2.0, 1.1)]
    assert within == sorted(within)
    assert beyond == sorted(beyond)


def test_an_effect_at_the_margin_is_never_decided():
    assert seeds_to_decide(1.0, 20, 1.0, 0.05, 0.9, effect=1.0) is None
    assert seeds_to_decide(0.0, 20, 1.0, 0.05, 0.9, effect=1.0) is None
    assert MOST == 1_000_000


@pytest.mark.parametrize(("alpha", "seeds"), [(0.05, 5), (0.025, 6), (0.03125, 5), (0.0125, 7)])
def test_without_noise_the_ranks_need_a_few_seeds(alpha, seeds):
    assert fewest_by_ranks(alpha) == seeds
    assert stats.wilcoxon(np.arange(1, seeds + 1), alternative="greater").pvalue <= alpha
    assert stats.wilcoxon(np.arange(1, seeds), alternative="greater").pvalue > alpha
    assert seeds_to_decide(0.0, 7, 1.0, alpha, 0.9) == seeds
