"""Published claims as statements that are checked on what was measured. Free of keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from portable_models.experiments.outcome import Outcome

Outcomes = Mapping[str, Outcome]


@dataclass(frozen=True)
class Finding:
    """What came out when a claim was checked.

    Args:
        holds: True or False; None where it could not be checked.
        measured: the figures it was decided on, in words.
        reason: why it could not be checked.
    """

    holds: bool | None
    measured: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement about an experiment that its data must bear out.

    Args:
        statement: the claim, in words.
        variants: the variants it speaks of.
        check: decides it from their outcomes: whether it holds, and the figures in words.
        published: the figure or finding as it was published.
        real_data: the claim holds for the real data only and is not checked on synthetic samples.
        full_length: the claim needs all epochs of the recipes and is not checked on shortened runs.
    """

    statement: str
    variants: tuple[str, ...]
    check: Callable[[Outcomes], tuple[bool, str]]
    published: str = ""
    real_data: bool = False
    full_length: bool = True

    def evaluate(self, outcomes: Outcomes) -> Finding:
        """Check the claim on one backend's outcomes, by variant name."""
        for name in self.variants:
            outcome = outcomes.get(name)
            if outcome is None:
                return Finding(None, reason=f"the variant {name} has no result")
            if self.real_data and not outcome.real_data:
                return Finding(None, reason="needs the real data: run with --data full")
            if self.full_length and outcome.epochs_run < outcome.epochs:
                return Finding(
                    None, reason=f"{name} ran {outcome.epochs_run} of {outcome.epochs} epochs"
                )
        holds, measured = self.check(outcomes)
        return Finding(bool(holds), measured)
