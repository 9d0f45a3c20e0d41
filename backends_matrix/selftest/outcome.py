"""The outcomes of a self-test: of a planted fault, of a clean training, and of all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from backends_matrix.selftest.catalogue import Fault


@dataclass(frozen=True)
class FaultOutcome:
    """The verifier's finding on a planted fault.

    Args:
        fault: the fault.
        kind: the kind of difference that was reported; empty where none was.
        levels: at which levels something differs.
        share: the largest difference as a part of its tolerance, over levels 1 and 2.
        error: why it could not be run; empty where it could.
        said: the sentence that explains the difference, with the place where it begins.
    """

    fault: Fault
    kind: str = ""
    levels: tuple[int, ...] = ()
    share: float = 0.0
    error: str = ""
    said: str = ""

    @property
    def found(self) -> bool:
        """True if anything was reported."""
        return bool(self.kind)

    @property
    def right(self) -> bool:
        """True if it was reported with the right kind, and in the right place where it has one."""
        return self.kind == self.fault.kind and self.fault.place in self.said


@dataclass(frozen=True)
class CleanOutcome:
    """One clean training on one backend, held against the reference.

    Args:
        variant: variant of the study.
        backend: the backend.
        seed: added to the recipe's seed.
        comparisons: how many were made.
        alarms: what was reported although nothing is wrong.
        share: the largest share of a tolerance.
    """

    variant: str
    backend: str
    seed: int
    comparisons: int
    alarms: tuple[str, ...]
    share: float


@dataclass
class Outcome:
    """All that a self-test found."""

    reference: str
    faulty: str
    faults: list[FaultOutcome] = field(default_factory=list)
    clean: list[CleanOutcome] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Every fault is found and named, and nothing else is."""
        return all(each.right for each in self.faults) and not any(
            each.alarms for each in self.clean
        )
