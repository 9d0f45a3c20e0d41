"""The search for a small case that shows a failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from backends_matrix.check.pool import Pool
from backends_matrix.check.reduce.case import MOST_VALUES, Case, Shown
from backends_matrix.check.reduce.script import MOST_LINES, write_script
from backends_matrix.check.reduce.trial import Failure, Outcome, try_case
from backends_matrix.check.result import Check

TRIES = 200
"""Cases that are tried for one failure."""

LONGEST_RUN = 60.0
"""Seconds for one script on one backend. An interrupt waits for the scripts that run."""

PARTS = {"read file": "outputs", "read weights": "outputs", "resume training": "weights"}
"""Which part of a script's results shows that a file does not carry the model."""


@dataclass(frozen=True)
class Found:
    """A small case, and what its script printed.

    Args:
        case: what the script shows.
        failure: how the backends differ.
        outcome: of the last run, on all backends unless the search was interrupted.
    """

    case: Case
    failure: Failure
    outcome: Outcome


class Search:
    """Finds a case that shows a failure, and shrinks it.

    Args:
        check: the failure.
        part: outputs, weights, state, or the name of a check of files.
        pool: with warm backends.
        timeout: seconds that one script may take on one backend.
        seconds: how long the search may take; what it has found by then is what it gives.
        say: told of the progress, one line at a time.
        sound: pairs of backends between which files carry the model.
    """

    def __init__(
        self,
        check: Check,
        part: str,
        pool: Pool,
        timeout: float,
        seconds: float,
        say: Callable[[str], None],
        sound: Sequence[str] = (),
    ) -> None:
        self._check, self._pool, self._say = check, pool, say
        self._timeout = min(timeout, LONGEST_RUN)
        self._part = PARTS.get(part, part)
        # Files of one pair are tried, which is 2 runs and not 12, and of one that is sound, if there is
        # any: a script that loses the weights of all files shows another failure.
        self._only = (check.backend, *sound[:1]) if part in PARTS else ()
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._tries = 0
        self._best: Found | None = None
        self._seen: set[str] = set()
        self.interrupted = False

    @property
    def _late(self) -> bool:
        return self._tries >= TRIES or time.monotonic() > self._until

    @property
    def reason(self) -> str:
        """Why no case was found."""
        if self.interrupted:
            return "the search was interrupted before it found a script that is short enough"
        if self._late:
            how_long = f"{self._tries} tries in {self._seconds:g} seconds (--reduce-time)"
            return f"the search ended after {how_long} without a script of under {MOST_LINES} lines"
        return (
            f"no script of under {MOST_LINES} lines shows it: neither the layer by itself nor the "
            f"graph that it lies in differs without the model's own code around it"
        )

    def shows(self, case: Case) -> bool:
        """Whether a case shows the failure as it is."""
        try:
            return self._of_check(self._try(case).failures) is not None
        except KeyboardInterrupt:
            self.interrupted = True
            return False

    def find(self, cases: Iterable[Case]) -> Found | None:
        """The smallest case found that fits into a script; None where none shows the failure.

        An interrupt (Ctrl-C) ends the search, which then gives the smallest case so far.
        """
        try:
            for case in cases:
                # Zeros and ones last: a corner at 0 or 1 may differ where the model never goes.
                for values in ("normal", "recorded", "zeros", "ones"):
                    if self._late:
                        return None
                    start = replace(case, values=values)
                    outcome = self._try(start)
                    failure = self._of_check(outcome.failures)
                    if failure is None:
                        continue
                    self._best = Found(start, failure, outcome)
                    self._shrink()
                    if (small := self._confirmed()) is not None and _is_short(small.case):
                        return small
        except KeyboardInterrupt:
            self.interrupted = True
            return self._best if self._best and _is_short(self._best.case) else None
        return None

    def _try(self, case: Case) -> Outcome:
        self._tries += 1
        lines = f", {len(write_script(self._best.case).splitlines())} lines" if self._best else ""
        self._say(
            f"reduce {self._check.name} on {self._check.backend}: try {self._tries}{lines} "
            f"(Ctrl-C keeps the best so far)"
        )
        return try_case(case, self._pool, self._timeout, self._only)

    def _of_check(self, failures: Sequence[Failure]) -> Failure | None:
        mine = [each for each in failures if each.involves(self._check.backend)]
        return next((each for each in mine if each.part == self._part), None)

    def _shrink(self) -> None:
        if self._best is None:
            return
        progress = True
        while progress:
            progress = False
            case = self._best.case
            parts = case.shown is Shown.STEP and not case.part
            first = [replace(case, part=self._best.failure.part)] if parts else []
            for smaller in (*first, *case.smaller()):
                if self._late:
                    break
                if (progress := self._take(smaller)) is True:
                    break
        for _ in range(2):
            for tidier in self._best.case.tidier():
                self._take(tidier, same=True)

    def _take(self, case: Case, *, same: bool = False) -> bool:
        """Go on with a case if it shows the same failure, and, where asked for, the same numbers."""
        text = write_script(case)
        if text in self._seen or self._best is None:
            return False
        self._seen.add(text)
        outcome = self._try(case)
        alike = [each for each in outcome.failures if each.is_like(self._best.failure)]
        if not alike or (same and outcome.printed != self._best.outcome.printed):
            return False
        self._best = Found(case, alike[0], outcome)
        return True

    def _confirmed(self) -> Found | None:
        """The best, run once more on all backends; None where it does not repeat, and so shows nothing."""
        if self._best is None:
            return None
        outcome = try_case(self._best.case, self._pool, self._timeout)
        failure = self._of_check(outcome.failures)
        if failure is None or not (self._only or failure.is_like(self._best.failure)):
            return None
        if any(failure.involves(sound) for sound in self._only[1:]):
            return None
        return Found(self._best.case, failure, outcome)


def _is_short(case: Case) -> bool:
    fits = len(write_script(case).splitlines()) < MOST_LINES
    return fits and (case.values != "recorded" or case.size <= MOST_VALUES)
