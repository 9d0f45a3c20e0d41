"""What a certificate holds: the settings, every seed's result on every side, and the verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backends_matrix.certify.margin import Margin
from backends_matrix.certify.pairs import SeedResult, SideResults, pair_seeds
from backends_matrix.certify.verdict import (
    EXIT_CODES,
    Comparison,
    Evidence,
    Verdict,
    gather_evidence,
    judge_evidence,
    overall,
)

SCHEMA = 1
KIND = "portable certificate"


@dataclass(frozen=True)
class Study:
    """What is trained.

    Args:
        experiment: built-in name or ``package.module:object``.
        variant: name of the variant.
        data: sample, full or a path, as it was asked for.
        description: one line on the data.
        synthetic: True where the samples were drawn from a model rather than collected.
        epochs: as asked for; None is the recipe's own number.
    """

    experiment: str
    variant: str
    data: str
    description: str = ""
    synthetic: bool = False
    epochs: int | None = None


@dataclass(frozen=True)
class SideRecord:
    """One side of a certificate.

    Args:
        name: for people.
        backend: jax, tensorflow or torch.
        pipeline: how samples reached Keras.
        engine: compiled or keras.
        device: cpu, gpu or tpu.
        setup: function of the user's that prepared the worker; empty without one.
        environment: versions and settings of the worker.
        results: seed -> what it came to.
    """

    name: str
    backend: str
    pipeline: str
    engine: str
    device: str
    setup: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)
    results: SideResults = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """How the number of seeds came about.

    Args:
        alpha: error rate of all claims together.
        power: declared.
        pilot: seeds of the pilot, which the verdict does not rest on; empty without one.
        wanted: seeds that the pilot asks for; None without a pilot, or where no number would do.
        wanted_unpaired: seeds that trainings without pairs would need.
        seeds: those that the verdict rests on.
    """

    alpha: float
    power: float
    seeds: Sequence[int]
    pilot: Sequence[int] = ()
    wanted: int | None = None
    wanted_unpaired: int | None = None


@dataclass(frozen=True)
class Certificate:
    """A certificate: what was asked, what was measured, and the verdicts.

    Args:
        study: what is trained.
        margins: metric -> margin, declared before.
        plan: the seeds.
        sides: the first is the reference.
        comparisons: every metric on every other side.
        notes: remarks.
        against: SHA-256 of the certificate that the reference was taken from; empty without one.
    """

    study: Study
    margins: Mapping[str, Margin]
    plan: Plan
    sides: Sequence[SideRecord]
    comparisons: Sequence[Comparison]
    notes: Sequence[str] = ()
    against: str = ""

    @property
    def verdict(self) -> Verdict:
        """The verdict over all comparisons."""
        return overall(self.comparisons)

    @property
    def exit_code(self) -> int:
        """0 all equivalent; 1 a difference was shown; 3 something is undecided or could not be compared."""
        return EXIT_CODES[self.verdict]

    @property
    def reference(self) -> SideRecord:
        """The side that the others are compared with."""
        return self.sides[0]


def judge_sides(
    sides: Sequence[SideRecord],
    seeds: Sequence[int],
    margins: Mapping[str, Margin],
    alpha: float,
    power: float,
) -> list[Comparison]:
    """Judge every metric of every side against the first.

    Args:
        sides: at least two; the first is the reference.
        seeds: those that are compared.
        margins: metric -> margin.
        alpha: error rate.
        power: declared.
    """
    return judge_evidence(evidence_of(sides, seeds, tuple(margins)), margins, alpha, power)


def evidence_of(
    sides: Sequence[SideRecord], seeds: Sequence[int], metrics: Sequence[str]
) -> list[Evidence]:
    """The paired results of every metric on every side but the first."""
    reference, *others = sides
    found = []
    for side in others:
        names = reference.name, side.name
        pairing = pair_seeds(seeds, reference.results, side.results, names)
        found += [
            gather_evidence(metric, names, pairing, (reference.results, side.results))
            for metric in metrics
        ]
    return found


def to_json(certificate: Certificate) -> dict[str, Any]:
    """The certificate as plain JSON values; see ``certificate_file.read_certificate``."""
    reference = certificate.reference
    return {
        "schema": SCHEMA,
        "kind": KIND,
        "verdict": certificate.verdict.value,
        "study": vars(certificate.study),
        "margins": {name: margin.to_json() for name, margin in certificate.margins.items()},
        "plan": {
            **vars(certificate.plan),
            "seeds": list(certificate.plan.seeds),
            "pilot": list(certificate.plan.pilot),
        },
        "digests": {str(seed): dict(result.digests) for seed, result in reference.results.items()},
        "sides": [_side_to_json(side, reference) for side in certificate.sides],
        "comparisons": [_comparison_to_json(each) for each in certificate.comparisons],
        "notes": list(certificate.notes),
        "against": certificate.against,
    }


def _side_to_json(side: SideRecord, reference: SideRecord) -> dict[str, Any]:
    samples = next((dict(each.samples) for each in side.results.values() if each.samples), {})
    return {
        "name": side.name,
        "backend": side.backend,
        "pipeline": side.pipeline,
        "engine": side.engine,
        "device": side.device,
        "setup": side.setup,
        "environment": dict(side.environment),
        "samples": samples,
        "results": {
            str(seed): _seed_to_json(result, reference.results.get(seed))
            for seed, result in side.results.items()
        },
    }


def _seed_to_json(result: SeedResult, reference: SeedResult | None) -> dict[str, Any]:
    """A seed's result; its digests are left out where they are the reference's."""
    entry: dict[str, Any] = {"values": dict(result.values)}
    if result.diverged:
        entry["diverged"] = True
    if result.fault:
        entry["fault"] = result.fault
    if reference is None or dict(result.digests) != dict(reference.digests):
        entry["digests"] = dict(result.digests)
    return entry


def _comparison_to_json(found: Comparison) -> dict[str, Any]:
    return {
        "metric": found.metric,
        "reference": found.reference,
        "side": found.side,
        "margin": found.margin.to_json(),
        "seeds": len(found.seeds),
        "verdict": found.verdict.value,
        "why": found.why,
        "means": found.means and list(found.means),
        "tests": found.tests and vars(found.tests),
        "counts": found.counts and vars(found.counts),
        "equivalence_p": found.equivalence_p,
        "difference_p": found.difference_p,
        "seeds_needed": found.seeds_needed,
        "diverged": list(found.diverged),
    }
