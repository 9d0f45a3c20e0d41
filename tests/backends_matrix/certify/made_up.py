"""Certificates from made-up results: no training, no clock."""

import numpy as np

from backends_matrix.certify.certificate import (
    Certificate,
    Plan,
    SideRecord,
    Study,
    judge_sides,
)
from backends_matrix.certify.margin import Margin
from backends_matrix.certify.pairs import SeedResult

ENGINES = ("--engines", "compiled,keras")
DIGESTS = {"data": "d", "initial_weights": "w", "order": "o"}


def side(name, values, metric="val_mae", **extras):
    """A side whose seed ``i`` came to ``values[i]``."""
    results = {
        seed: SeedResult({metric: float(value)}, DIGESTS | {"order": f"o{seed}"}, **extras)
        for seed, value in enumerate(values)
    }
    return SideRecord(
        name, "jax" if name == "jax" else "torch", "numpy", "compiled", "cpu", results=results
    )


def judged(reference, other, margin="2%", metric="val_mae", alpha=0.05, power=0.9, **extras):
    """The comparison of two sides with these results."""
    sides = [side("jax", reference, metric, **extras), side("torch", other, metric, **extras)]
    margins = {metric: Margin.parse(margin)}
    (found,) = judge_sides(sides, range(len(reference)), margins, alpha, power)
    return found


def paired(rng, seeds, mean=2.4, spread=0.2, shift=0.0, noise=0.05):
    """Results of two sides whose seeds vary by ``spread`` and differ by ``shift`` and ``noise``."""
    reference = rng.normal(mean, spread, seeds)
    return reference, reference + rng.normal(shift, noise, seeds)


def certificate(seed=0, seeds=12, **choices):
    """A certificate of made-up results on two sides."""
    reference, other = paired(np.random.default_rng(seed), seeds, **choices)
    sides = [side("jax", reference), side("torch", other)]
    margins = {"val_mae": Margin.parse("2%")}
    plan = Plan(0.05, 0.9, list(range(seeds)))
    return Certificate(
        Study("boston", "kfold", "sample", "house prices"),
        margins,
        plan,
        sides,
        judge_sides(sides, plan.seeds, margins, plan.alpha, plan.power),
    )


def last_line(done):
    """The one line that a refused command ends with; no traceback stands before it."""
    assert "Traceback" not in done.errors
    return done.errors.splitlines()[-1]
