"""Verdicts of made-up results."""

from dataclasses import replace

import numpy as np
import pytest

from backends_matrix.certify.certificate import judge_sides
from backends_matrix.certify.margin import Margin
from backends_matrix.certify.pairs import SeedResult
from backends_matrix.certify.verdict import EXIT_CODES, Verdict, overall

from .made_up import judged, paired, side

RNG = np.random.default_rng
MARGINS = {"val_mae": Margin.parse("2%")}


def test_equal_sides_are_equivalent():
    found = judged(*paired(RNG(0), 20))
    assert found.verdict is Verdict.EQUIVALENT
    assert found.tests.interval[0] > -0.02
    assert found.tests.interval[1] < 0.02


def test_a_difference_beyond_the_margin_is_shown_with_its_interval():
    found = judged(*paired(RNG(0), 20, shift=0.2))
    assert found.verdict is Verdict.NOT_EQUIVALENT
    assert found.tests.estimate == pytest.approx(0.2 / 2.4, abs=0.02)
    assert found.tests.wide_interval[0] > 0.02


def test_a_significant_difference_within_the_margin_is_equivalent():
    found = judged(*paired(RNG(0), 40, shift=0.01, noise=0.01))
    assert found.tests.interval[0] > 0  # different from zero, and too little to matter
    assert found.verdict is Verdict.EQUIVALENT


def test_too_few_seeds_are_undecided_with_the_number_that_would_decide():
    reference, other = paired(RNG(1), 8, noise=0.2)
    found = judged(reference, other)
    assert found.verdict is Verdict.UNDECIDED
    assert found.seeds_needed > 8
    assert found.why == f"{found.seeds_needed} seeds would decide, if the estimate is right"


@pytest.mark.parametrize("shift", [0.0, 0.12])
def test_that_number_decides(shift):
    needed = judged(*paired(RNG(3), 8, shift=shift, noise=0.1)).seeds_needed
    decided = [
        judged(*paired(RNG(seed), needed, shift=shift, noise=0.1)).verdict for seed in range(20)
    ]
    right = Verdict.NOT_EQUIVALENT if shift else Verdict.EQUIVALENT
    # The number rests on an estimate from 8 seeds, so the power is near 90 % and no more.
    assert decided.count(right) >= 14


def test_four_seeds_cannot_pass_by_ranks_however_equal_they_are():
    values = np.array([2.0, 2.5, 3.0, 2.2])
    found = judged(values, values)
    assert found.verdict is Verdict.UNDECIDED
    assert found.seeds_needed == 5
    assert judged(*[np.append(values, 2.4)] * 2).verdict is Verdict.EQUIVALENT


def test_sides_with_other_digests_are_no_pairs_and_the_verdict_is_no_pass():
    base, other = side("jax", [2.0] * 8), side("torch", [2.0] * 8)
    strange = {
        seed: replace(each, digests={**each.digests, "initial_weights": "others"})
        for seed, each in other.results.items()
    }
    (found,) = judge_sides([base, replace(other, results=strange)], range(8), MARGINS, 0.05, 0.9)
    assert found.verdict is Verdict.NOT_PAIRED
    assert "the initial weights of jax and torch are not the same" in found.why
    assert EXIT_CODES[overall([found])] == 3


def diverging(on_reference, on_other, seeds=16):
    rng = RNG(0)
    sides = []
    for name, numbers in (("jax", on_reference), ("torch", on_other)):
        made = side(name, rng.normal(2.4, 1e-3, seeds))
        results = {
            seed: SeedResult(digests=each.digests, diverged=True) if seed in numbers else each
            for seed, each in made.results.items()
        }
        sides.append(replace(made, results=results))
    (found,) = judge_sides(sides, range(seeds), MARGINS, 0.05, 0.9)
    return found


def test_seeds_that_diverge_on_both_sides_agree_and_are_left_out():
    found = diverging({1, 2}, {1, 2})
    assert found.verdict is Verdict.EQUIVALENT
    assert len(found.seeds) == 14
    assert found.diverged == (0, 0, 2)


def test_a_seed_that_diverges_on_one_side_only_cannot_be_averaged():
    found = diverging(set(), {3})
    assert found.verdict is Verdict.UNDECIDED
    assert "0 diverge on jax only and 1 on torch only" in found.why


def test_a_side_that_diverges_more_often_than_chance_is_not_equivalent():
    assert diverging(set(), set(range(8))).verdict is Verdict.NOT_EQUIVALENT


def test_a_relative_margin_of_a_mean_near_zero_is_refused_in_words():
    rng = RNG(0)
    found = judged(rng.normal(0, 1, 12), rng.normal(0, 1, 12))
    assert found.verdict is Verdict.UNDECIDED
    assert "give a margin in the metric's own unit" in found.why


def test_accuracies_are_counted_too():
    right = RNG(0).integers(70, 90, 12)
    found = judged(right / 100, right / 100, "1pt", "val_accuracy", samples={"validation": 100})
    assert found.counts.reference == found.counts.other == right.sum()
    assert found.counts.answers == 1200


@pytest.mark.parametrize(
    ("verdicts", "expected", "code"),
    [
        ([Verdict.EQUIVALENT, Verdict.EQUIVALENT], Verdict.EQUIVALENT, 0),
        ([Verdict.EQUIVALENT, Verdict.UNDECIDED], Verdict.UNDECIDED, 3),
        ([Verdict.UNDECIDED, Verdict.NOT_PAIRED], Verdict.NOT_PAIRED, 3),
        ([Verdict.NOT_PAIRED, Verdict.NOT_EQUIVALENT], Verdict.NOT_EQUIVALENT, 1),
        ([], Verdict.UNDECIDED, 3),
    ],
)
def test_the_worst_comparison_decides(verdicts, expected, code):
    one = judged(*paired(RNG(0), 6))
    found = overall([replace(one, verdict=each) for each in verdicts])
    assert (found, EXIT_CODES[found]) == (expected, code)
