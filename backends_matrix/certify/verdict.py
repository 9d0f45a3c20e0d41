"""From paired results to verdicts. That no difference is found is never taken for equivalence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from backends_matrix.certify.margin import Margin, Values, is_accuracy
from backends_matrix.certify.pairs import Pairing, SideResults
from backends_matrix.certify.sample_size import MOST, seeds_to_decide
from backends_matrix.certify.statistics import (
    Counts,
    NotComparableError,
    PairedTests,
    compare_counts,
    compare_pairs,
    divergence_p,
    holm,
)


class Verdict(StrEnum):
    """What a certificate says of a metric on two sides."""

    EQUIVALENT = "equivalent within the margin"
    NOT_EQUIVALENT = "not equivalent"
    UNDECIDED = "undecided"
    NOT_PAIRED = "not paired"


EXIT_CODES = {
    Verdict.EQUIVALENT: 0,
    Verdict.NOT_EQUIVALENT: 1,
    Verdict.UNDECIDED: 3,
    Verdict.NOT_PAIRED: 3,
}


@dataclass(frozen=True)
class Comparison:
    """One metric of one side against the reference.

    Args:
        metric: its name.
        reference: name of the reference side.
        side: name of the other side.
        margin: declared before.
        seeds: the seeds that are compared.
        verdict: see ``Verdict``.
        why: the verdict in one sentence.
        means: mean results of reference and other side; None where nothing could be compared.
        tests: the tests; None where nothing could be compared.
        counts: for accuracies, the right answers of both sides.
        equivalence_p: p-value of equivalence after Holm's correction for all comparisons.
        difference_p: p-value of a difference beyond the margin, after the same correction.
        seeds_needed: undecided only: the number of seeds that would decide if the estimate is right.
        diverged: seeds that diverged on the reference only, on the other side only, on both.
    """

    metric: str
    reference: str
    side: str
    margin: Margin
    seeds: Sequence[int]
    verdict: Verdict
    why: str
    means: tuple[float, float] | None = None
    tests: PairedTests | None = None
    counts: Counts | None = None
    equivalence_p: float | None = None
    difference_p: float | None = None
    seeds_needed: int | None = None
    diverged: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True)
class Evidence:
    """The paired results of one metric on two sides.

    Args:
        metric: its name.
        reference: name of the reference side.
        side: name of the other side.
        pairing: which seeds are pairs.
        values: results of both sides, shape ``(seeds,)`` each.
        samples: answers behind each result, where the metric is an accuracy on held-out samples; else 0.
    """

    metric: str
    reference: str
    side: str
    pairing: Pairing
    values: tuple[Values, Values]
    samples: int = 0


def gather_evidence(
    metric: str, names: tuple[str, str], pairing: Pairing, sides: tuple[SideResults, SideResults]
) -> Evidence:
    """Collect a metric's results of both sides for the seeds that are pairs."""
    values = [
        np.array([results[seed].values[metric] for seed in pairing.seeds], float)
        for results in sides
    ]
    samples = {
        _answers(metric, results[seed].samples) for results in sides for seed in pairing.seeds
    }
    return Evidence(
        metric,
        *names,
        pairing,
        (values[0], values[1]),
        samples.pop() if len(samples) == 1 else 0,
    )


def _answers(metric: str, samples: Mapping[str, int]) -> int:
    parts = {"val_": "validation", "test_": "test"}
    part = next((part for prefix, part in parts.items() if metric.startswith(prefix)), "")
    return samples.get(part, 0) if is_accuracy(metric) else 0


def judge_evidence(
    evidence: Sequence[Evidence], margins: Mapping[str, Margin], alpha: float, power: float
) -> list[Comparison]:
    """Judge every metric on every pair of sides, with one error rate for all claims of a kind together.

    Args:
        evidence: the paired results; at least one.
        margins: metric -> margin.
        alpha: error rate of all claims of equivalence together, and of all claims of a difference.
        power: declared; the number of seeds that would decide rests on it.
    """
    measured = [_measure(each, margins[each.metric], alpha) for each in evidence]
    # What could not be tested counts as a claim that failed.
    equivalence = holm(
        [each.tests.equivalence_p if each.tests else 1.0 for each in measured], alpha
    )
    difference = holm(
        [1.0 if each.difference_p is None else each.difference_p for each in measured], alpha
    )
    return [
        each
        if each.difference_p is None
        else _decide(
            replace(each, equivalence_p=equal, difference_p=apart), alpha, power, len(measured)
        )
        for each, equal, apart in zip(measured, equivalence, difference, strict=True)
    ]


def _measure(evidence: Evidence, margin: Margin, alpha: float) -> Comparison:
    """Compute the tests, with uncorrected p-values; without any p-value, the comparison is decided."""
    pairing, (reference, other) = evidence.pairing, evidence.values
    split = (pairing.diverged_on_reference, pairing.diverged_on_other, pairing.diverged_on_both)
    one_sided = len(split[0]), len(split[1])
    found = Comparison(
        evidence.metric,
        evidence.reference,
        evidence.side,
        margin,
        tuple(pairing.seeds),
        Verdict.UNDECIDED,
        pairing.fault,
        diverged=(*one_sided, len(split[2])),
    )
    if not pairing.paired:
        return replace(found, verdict=Verdict.NOT_PAIRED)
    if pairing.fault:
        return found
    if any(one_sided):
        said = (
            f"of {len(pairing.seeds) + sum(map(len, split))} seeds {one_sided[0]} diverge on "
            f"{evidence.reference} only and {one_sided[1]} on {evidence.side} only"
        )
        return replace(found, why=said, difference_p=divergence_p(*one_sided))
    if len(reference) < 2:
        return replace(
            found, why=f"only {len(reference)} seeds did not diverge; at least 2 are needed"
        )
    try:
        tests = compare_pairs(reference, other, margin, alpha)
        counts = compare_counts(reference, other, margin, evidence.samples)
    except NotComparableError as error:
        return replace(found, why=str(error))
    means = float(reference.mean()), float(other.mean())
    return replace(found, means=means, tests=tests, counts=counts, difference_p=tests.difference_p)


def _decide(found: Comparison, alpha: float, power: float, claims: int) -> Comparison:
    tests = found.tests
    assert found.equivalence_p is not None
    assert found.difference_p is not None
    if tests is None:
        if found.difference_p <= alpha:
            return replace(found, verdict=Verdict.NOT_EQUIVALENT)
        return replace(found, why=f"{found.why}; the means cannot be compared")
    if found.equivalence_p <= alpha:
        return replace(
            found,
            verdict=Verdict.EQUIVALENT,
            why=f"the interval of the difference is within {found.margin.to_text()}",
        )
    if found.difference_p <= alpha:
        return replace(
            found,
            verdict=Verdict.NOT_EQUIVALENT,
            why=f"the difference is larger than {found.margin.to_text()}",
        )
    needed = seeds_to_decide(
        tests.deviation,
        len(found.seeds) - 1,
        found.margin.value,
        alpha / claims,
        power,
        tests.estimate,
    )
    if needed is None:
        why = (
            f"more than {MOST:,} seeds would be needed, as the difference is as large as the margin"
        )
    elif needed <= len(found.seeds):
        why = f"the tests do not agree, or chance was against it; {needed} fresh seeds may decide"
    else:
        why = f"{needed} seeds would decide, if the estimate is right"
    return replace(found, why=why, seeds_needed=needed)


def overall(comparisons: Sequence[Comparison]) -> Verdict:
    """The verdict of a certificate: a difference comes first, then what could not be decided."""
    verdicts = {each.verdict for each in comparisons}
    order = (Verdict.NOT_EQUIVALENT, Verdict.NOT_PAIRED, Verdict.UNDECIDED, Verdict.EQUIVALENT)
    return next((each for each in order if each in verdicts), Verdict.UNDECIDED)
