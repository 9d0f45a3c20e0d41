"""Pair the trainings of two sides by seed: same initial weights, order and masks, or they are no pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backends_matrix.run.result import CellResult, Status

LONGEST_FAULT = 1000
"""Characters; a user's exception may hold a whole array."""


class UnknownMetricError(ValueError):
    """A training has no metric of this name."""


@dataclass(frozen=True)
class SeedResult:
    """What one training of one side came to.

    Args:
        values: metric -> its result; empty where it diverged or could not be run.
        digests: SHA-256 of what went in, by kind.
        diverged: a metric is not a finite number.
        fault: why there is no result, where it could not be run; empty elsewhere.
        samples: number of samples by part: train, validation, test.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    diverged: bool = False
    fault: str = ""
    samples: Mapping[str, int] = field(default_factory=dict)


SideResults = Mapping[int, SeedResult]
"""Seed -> what it came to."""


def read_seed(result: CellResult, metrics: Sequence[str]) -> SeedResult:
    """Take the metrics of a certificate out of a cell's result.

    Raises:
        UnknownMetricError: the training has none of that name.
    """
    outcome: Mapping[str, Any] = result.outcome
    if result.status is Status.DIVERGED:
        return SeedResult(digests=result.digests, diverged=True)
    if not result.ok:
        return SeedResult(fault=f"{result.status.value}: {result.reason}"[:LONGEST_FAULT])
    values = {}
    for name in metrics:
        if name in result.final:
            values[name] = float(result.final[name])
        elif name in result.history:
            values[name] = float(result.history[name][-1])
        else:
            known = ", ".join([*result.history, *result.final])
            place = f"{result.cell.experiment}/{result.cell.variant}"
            raise UnknownMetricError(f"{place} has no metric {name!r}: expected one of {known}")
    return SeedResult(values, result.digests, samples=outcome.get("samples", {}))


@dataclass(frozen=True)
class Pairing:
    """The seeds of two sides, sorted by what can be said of them.

    Args:
        seeds: those with a result on both sides.
        fault: why the sides are no pairs or a training has no result; empty where there is nothing amiss.
        paired: False where a digest differs, so that no two trainings may be compared.
        diverged_on_reference: seeds that diverged on the reference only.
        diverged_on_other: seeds that diverged on the other side only.
        diverged_on_both: seeds that diverged on both sides, which agree.
    """

    seeds: Sequence[int]
    fault: str = ""
    paired: bool = True
    diverged_on_reference: Sequence[int] = ()
    diverged_on_other: Sequence[int] = ()
    diverged_on_both: Sequence[int] = ()


def pair_seeds(
    seeds: Sequence[int], reference: SideResults, other: SideResults, names: tuple[str, str]
) -> Pairing:
    """Pair the trainings of two sides.

    Args:
        seeds: the seeds of the certificate.
        reference: results of the reference.
        other: results of the other side.
        names: both sides for people.
    """
    both: list[int] = []
    diverged: dict[tuple[bool, bool], list[int]] = {}
    fault = ""
    for seed in seeds:
        pair = reference.get(seed), other.get(seed)
        base, changed = (each or SeedResult(fault="there is no result") for each in pair)
        for name, each in zip(names, (base, changed), strict=True):
            if each.fault:
                fault = fault or f"seed {seed} on {name} {each.fault}"
        if base.fault or changed.fault:
            continue
        if unequal := _unequal_digests(base, changed):
            return Pairing(
                (),
                f"with seed {seed} the {_words(unequal)} of {names[0]} and {names[1]} are not the same, "
                "so their trainings are no pairs",
                paired=False,
            )
        if base.diverged or changed.diverged:
            diverged.setdefault((base.diverged, changed.diverged), []).append(seed)
        else:
            both.append(seed)
    return Pairing(
        both,
        fault,
        True,
        diverged.get((True, False), ()),
        diverged.get((False, True), ()),
        diverged.get((True, True), ()),
    )


def _unequal_digests(base: SeedResult, other: SeedResult) -> list[str]:
    kinds = sorted({*base.digests, *other.digests})
    differing = [
        kind
        for kind in kinds
        if (base.digests.get(kind) or other.digests.get(kind))
        and base.digests.get(kind) != other.digests.get(kind)
    ]
    # Two trainings that prove nothing of what went in are no pair either.
    nothing = not any(base.digests.values())
    return differing or (["digests, of which there are none,"] if nothing else [])


def _words(kinds: Sequence[str]) -> str:
    return ", ".join(kind.replace("_", " ") for kind in kinds)
