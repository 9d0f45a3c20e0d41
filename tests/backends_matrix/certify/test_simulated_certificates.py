"""The error rate and the power of whole certificates, simulated without training; seeded, no clock."""

import math

import numpy as np
import pytest

from backends_matrix.certify.certificate import SideRecord, judge_sides
from backends_matrix.certify.margin import Margin
from backends_matrix.certify.pairs import SeedResult
from backends_matrix.certify.planning import SeedPlanner
from backends_matrix.certify.settings import CertifySettings
from backends_matrix.certify.verdict import Verdict, overall

from .made_up import judged, paired, side

CERTIFICATES = 1000
ALPHA = 0.05
SAMPLING_ERROR = 3 * math.sqrt(ALPHA * (1 - ALPHA) / CERTIFICATES)
"""Three standard errors of a share of 5 % in 1,000: 2.1 percentage points."""


@pytest.fixture(autouse=True)
def no_garbage(monkeypatch):
    """statsmodels collects garbage in every correction, through all that other tests have imported."""
    monkeypatch.setattr("gc.collect", lambda: 0)


def heavy(rng, seeds):
    """Student's t with 4 degrees of freedom: chaos has outliers."""
    return rng.standard_t(4, seeds) / math.sqrt(2)


def normal(rng, seeds):
    return rng.normal(0, 1, seeds)


@pytest.mark.parametrize(("noise", "margin"), [(normal, "2%"), (heavy, "0.048")])
def test_at_the_margin_a_certificate_passes_at_most_alpha_of_the_time(noise, margin):
    rng = np.random.default_rng(22)
    verdicts = []
    for _ in range(CERTIFICATES):
        reference = rng.normal(2.4, 0.2, 20)
        # 2 % of 2.4, whatever the mean of these twenty is.
        other = reference + 0.048 + 0.05 * noise(rng, 20)
        verdicts.append(judged(reference, other, margin).verdict)
    assert verdicts.count(Verdict.EQUIVALENT) <= CERTIFICATES * (ALPHA + SAMPLING_ERROR)
    assert verdicts.count(Verdict.NOT_EQUIVALENT) <= CERTIFICATES * (ALPHA + SAMPLING_ERROR)
    # A test that never passes would hold its error rate too.
    assert verdicts.count(Verdict.EQUIVALENT) >= CERTIFICATES * 0.01


def test_several_metrics_together_err_at_most_alpha_of_the_time():
    rng = np.random.default_rng(23)
    margins = {name: Margin.parse("0.05") for name in ("one", "two", "three")}
    wrong = 0
    for _ in range(CERTIFICATES // 4):
        base = {name: rng.normal(2.4, 0.2, 15) for name in margins}
        values = [base, {name: each + rng.normal(0.05, 0.03, 15) for name, each in base.items()}]
        sides = [
            SideRecord(
                str(number),
                "jax",
                "numpy",
                "compiled",
                "cpu",
                results={
                    seed: SeedResult({name: each[name][seed] for name in margins}, {"data": "d"})
                    for seed in range(15)
                },
            )
            for number, each in enumerate(values)
        ]
        found = judge_sides(sides, range(15), margins, ALPHA, 0.9)
        wrong += any(each.verdict is Verdict.EQUIVALENT for each in found)
    assert wrong <= CERTIFICATES / 4 * (ALPHA + 2 * SAMPLING_ERROR)


@pytest.mark.parametrize("noise", [0.02, 0.1])
def test_a_pilot_finds_the_seeds_with_which_equal_sides_pass_with_the_declared_power(
    noise, tmp_path
):
    rng, runs, passed = np.random.default_rng(24), 200, 0
    settings = CertifySettings(
        out=tmp_path,
        margins={"val_mae": Margin.parse("2%")},
        backends=("jax", "torch"),
        most_seeds=2000,
    )
    for _ in range(runs):
        planner = SeedPlanner(settings, None)
        assert planner.next_seeds([]) == [0]
        sides = _sides(rng, 8, noise)
        assert planner.next_seeds(sides) == list(range(8))
        seeds = planner.next_seeds(sides)
        assert seeds[0] == 8  # the pilot's results are not used again
        found = judged(*paired(rng, len(seeds), noise=noise))
        passed += overall([found]) is Verdict.EQUIVALENT
    # Below the declared 90 % by no more than three standard errors of 200 runs.
    assert passed / runs >= 0.9 - 3 * math.sqrt(0.9 * 0.1 / runs)


def _sides(rng, seeds, noise):
    reference, other = paired(rng, seeds, noise=noise)
    return [side("jax", reference), side("torch", other)]


def test_no_significant_difference_is_not_taken_for_equality():
    rng = np.random.default_rng(25)
    verdicts = {judged(*paired(rng, 5, noise=0.3)).verdict for _ in range(100)}
    assert verdicts == {Verdict.UNDECIDED}
