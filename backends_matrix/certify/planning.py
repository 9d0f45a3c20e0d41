"""Which seeds are trained: one first, so that a mistake costs little; a pilot; and those that decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backends_matrix.certify.certificate import Certificate, Plan, SideRecord, evidence_of
from backends_matrix.certify.margin import Margin
from backends_matrix.certify.sample_size import MOST, seeds_to_decide
from backends_matrix.certify.settings import CertifySettings
from backends_matrix.certify.statistics import NotComparableError, compare_pairs
from backends_matrix.certify.verdict import Evidence
from backends_matrix.errors import CallError


@dataclass(frozen=True)
class PilotFinding:
    """The seeds that one comparison asks for after the pilot.

    Args:
        paired: number of pairs; None where more than ``MOST``.
        unpaired: number of seeds on each side, were they not paired; None likewise.
    """

    paired: int | None
    unpaired: int | None


def estimate_seeds(
    evidence: Evidence, margin: Margin, alpha: float, power: float
) -> PilotFinding | None:
    """The number of seeds with which equal sides are shown to be equivalent, from a pilot.

    Args:
        evidence: the pilot's paired results.
        margin: declared before.
        alpha: error rate of this claim.
        power: declared.

    Returns:
        None where the pilot cannot say: trainings failed or are no pairs, or fewer than two did not diverge.
    """
    pairing, (reference, other) = evidence.pairing, evidence.values
    if pairing.fault or len(reference) < 2:
        return None
    try:
        tests = compare_pairs(reference, other, margin, alpha)
    except NotComparableError:
        return None
    freedom = len(reference) - 1
    paired = seeds_to_decide(tests.deviation, freedom, margin.value, alpha, power)
    if tests.seeds_share:
        alone = tests.deviation / float(np.sqrt(tests.seeds_share))
        return PilotFinding(paired, seeds_to_decide(alone, freedom, margin.value, alpha, power))
    return PilotFinding(paired, None)


class SeedPlanner:
    """Gives the seeds of one round of trainings after the other.

    The first round is one seed. Where it cannot be compared on any side, no more is trained.

    Args:
        settings: what is asked for.
        stored: a certificate whose seeds are trained again; None without one.

    Raises:
        CallError: more seeds are asked for than the certificate has.
    """

    def __init__(self, settings: CertifySettings, stored: Certificate | None) -> None:
        self._settings = settings
        first, count = settings.first_seed, settings.seeds
        self._pilot: list[int] = []
        self._wanted: int | None = None
        self._wanted_unpaired: int | None = None
        self._rounds = 0
        self.notes: list[str] = []
        if stored is not None:
            theirs = list(stored.plan.seeds)
            if count is not None and count > len(theirs):
                raise CallError(
                    f"--seeds {count}: the certificate has {len(theirs)} seeds, and only those can be paired"
                )
            self._seeds = theirs[:count]
        elif count is not None:
            self._seeds = list(range(first, first + count))
        else:
            self._pilot = list(range(first, first + settings.pilot))
            self._seeds = []

    @property
    def plan(self) -> Plan:
        """The seeds that the verdict rests on, and how they came about."""
        settings = self._settings
        return Plan(
            settings.alpha,
            settings.power,
            self._seeds,
            self._pilot,
            self._wanted,
            self._wanted_unpaired,
        )

    def next_seeds(self, sides: Sequence[SideRecord]) -> list[int]:
        """The seeds of the next round; none where everything has been trained.

        Args:
            sides: the results so far; the first side is the reference.
        """
        self._rounds += 1
        opening = self._pilot or self._seeds
        if self._rounds == 1:
            return opening[:1]
        if self._rounds == 2:
            if all(each.pairing.fault for each in self._evidence(sides, opening[:1])):
                self._stop_after(opening[:1])
                return []
            return opening
        if self._rounds == 3 and self._pilot:
            self._plan_from_pilot(sides)
            return list(self._seeds)
        return []

    def _evidence(self, sides: Sequence[SideRecord], seeds: Sequence[int]) -> list[Evidence]:
        return evidence_of(sides, seeds, tuple(self._settings.margins))

    def _stop_after(self, seeds: list[int]) -> None:
        self._seeds, self._pilot = seeds, []
        self.notes.append(
            "the first seed could not be compared on any side, so no more were trained"
        )

    def _plan_from_pilot(self, sides: Sequence[SideRecord]) -> None:
        settings = self._settings
        evidence = self._evidence(sides, self._pilot)
        alpha = settings.alpha / len(evidence)
        found = [
            finding
            for each in evidence
            if (
                finding := estimate_seeds(
                    each, settings.margins[each.metric], alpha, settings.power
                )
            )
        ]
        if not found:
            self._seeds, self._pilot = self._pilot, []
            self.notes.append(
                "the pilot could not be compared on any side, so no more were trained"
            )
            return
        self._wanted = _largest([each.paired for each in found])
        self._wanted_unpaired = _largest([each.unpaired for each in found])
        count = min(self._wanted or MOST, settings.most_seeds)
        if count != self._wanted:
            wanted = f"{self._wanted:,}" if self._wanted else f"more than {MOST:,}"
            self.notes.append(
                f"the pilot asks for {wanted} seeds a side, and {count} are trained (the most that are "
                "allowed); the declared power is not reached"
            )
        start = self._pilot[-1] + 1
        self._seeds = list(range(start, start + count))


def _largest(numbers: Sequence[int | None]) -> int | None:
    """The largest number; None where one of them is beyond all that are looked for."""
    known = [each for each in numbers if each is not None]
    return max(known) if len(known) == len(numbers) else None
