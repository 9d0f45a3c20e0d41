"""Sums of comparisons."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from backends_matrix.report.records import Comparison, Verdict
from backends_matrix.report.wording import count

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


@dataclass(frozen=True)
class Tally:
    """The sum of some comparisons.

    Args:
        made: how many there are.
        differing: how many of them differ.
        undecidable: how many of them prove nothing.
        worst: the one that uses the largest share of its tolerance; one that differs before one
            that agrees, and that before an undecidable one. None if there is none.
        first: the earliest that differs: lowest level, then epoch, then largest share.
        undecidable_from: the first epoch with an undecidable comparison.
        decidable_after: True if a later epoch has one that is decidable.
    """

    made: int = 0
    differing: int = 0
    undecidable: int = 0
    worst: Comparison | None = None
    first: Comparison | None = None
    undecidable_from: int | None = None
    decidable_after: bool = False

    @property
    def verdict(self) -> Verdict | None:
        """Differs if one does; undecidable if all are; None if none was made."""
        if not self.made:
            return None
        if self.differing:
            return Verdict.DIFFERS
        return Verdict.UNDECIDABLE if self.undecidable == self.made else Verdict.AGREES

    @property
    def agreeing(self) -> int:
        """The number of comparisons that agree."""
        return self.made - self.differing - self.undecidable

    @property
    def text(self) -> str:
        """The verdict in words, with the epoch to which it reaches."""
        if self.verdict is None:
            return "not compared"
        if self.verdict is not Verdict.AGREES or not self.undecidable:
            return self.verdict.value
        if not self.undecidable_from or self.undecidable_from == 1 or self.decidable_after:
            return "agrees where decidable"
        return f"agrees to epoch {self.undecidable_from - 1}"


def summed(comparisons: Iterable[Comparison]) -> Tally:
    """Sum up comparisons."""
    all_of_them = list(comparisons)
    if not all_of_them:
        return Tally()
    differing = [entry for entry in all_of_them if entry.verdict is Verdict.DIFFERS]
    undecidable = [entry for entry in all_of_them if entry.verdict is Verdict.UNDECIDABLE]
    epochs = [entry.epoch for entry in undecidable if entry.epoch is not None]
    start = min(epochs, default=None)
    return Tally(
        made=len(all_of_them),
        differing=len(differing),
        undecidable=len(undecidable),
        worst=max(all_of_them, key=_severity),
        first=min(differing, key=_earliness, default=None),
        undecidable_from=start,
        decidable_after=start is not None
        and any(
            entry.verdict is not Verdict.UNDECIDABLE
            for entry in all_of_them
            if entry.epoch is not None and entry.epoch > start
        ),
    )


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> Mapping[Key, list[Item]]:
    """Items by key, both in the order of their first appearance."""
    groups: defaultdict[Key, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def made_text(comparisons: Iterable[Comparison]) -> str:
    """The number of comparisons by level, and of those that are undecidable, as a sentence."""
    by_level = grouped(comparisons, lambda entry: entry.level)
    if not by_level:
        return "Comparisons made: none"
    levels = ", ".join(
        f"{len(group):,} at level {level}" for level, group in sorted(by_level.items())
    )
    total = summed(entry for group in by_level.values() for entry in group)
    parts = [f"Comparisons made: {levels}"]
    if total.differing:
        parts.append(count(total.differing, "differs", "differ"))
    if total.undecidable:
        start = f" from epoch {total.undecidable_from}" if total.undecidable_from else ""
        parts.append(f"undecidable {total.undecidable:,}{start}")
    return "; ".join(parts)


def _severity(comparison: Comparison) -> tuple[int, float]:
    rank = {Verdict.DIFFERS: 2, Verdict.AGREES: 1, Verdict.UNDECIDABLE: 0}[comparison.verdict]
    return rank, comparison.share


def _earliness(comparison: Comparison) -> tuple[int, float, float]:
    # What has no epoch comes before training at level 0 (digests), after it otherwise (tests).
    without = 0.0 if comparison.level == 0 else math.inf
    epoch = without if comparison.epoch is None else comparison.epoch
    return comparison.level, epoch, -comparison.share
