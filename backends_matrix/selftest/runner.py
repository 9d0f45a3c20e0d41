"""Run the self-test: faults planted one at a time, and clean trainings that must raise nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from backends_matrix.agreement import Agreement, Comparison, judge
from backends_matrix.cell import Cell
from backends_matrix.environment import installed
from backends_matrix.explanation import explain
from backends_matrix.level_1 import JUDGE, judge_steps
from backends_matrix.plan import RunError
from backends_matrix.process import WorkerError
from backends_matrix.progress import Silent
from backends_matrix.result import CellResult
from backends_matrix.runner import BackendLane, WorkerSettings
from backends_matrix.selftest.catalogue import FAULTS, Fault
from backends_matrix.step_runs import JUDGES, MOVES

STUDY = "backends_matrix.selftest.study:study"
SILENCE = 300.0
REPLICAS = 3
VARIANTS = tuple(dict.fromkeys(fault.variant for fault in FAULTS))


@dataclass(frozen=True)
class FaultOutcome:
    """What the verifier said of a planted fault.

    Args:
        fault: the fault.
        kind: the kind of difference that was reported; empty where none was.
        levels: at which levels something differs.
        share: the largest difference as a part of its tolerance, over levels 1 and 2.
        error: why it could not be run; empty where it could.
    """

    fault: Fault
    kind: str = ""
    levels: tuple[int, ...] = ()
    share: float = 0.0
    error: str = ""

    @property
    def found(self) -> bool:
        """Whether anything was reported."""
        return bool(self.levels)

    @property
    def right(self) -> bool:
        """Whether it was reported as what it is."""
        return self.kind == self.fault.kind


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


Report = Callable[[FaultOutcome | CleanOutcome], None]


@dataclass
class _Bench:
    """The reference's side of one variant and seed: cells, states, and the judge's steps."""

    results: list[CellResult]
    folder: Path


class SelfTest:
    """Runs faults and clean trainings on lanes that stay open.

    Args:
        lanes: backend -> its lane, the reference first.
        exact: the lane that computes in float64.
        settings: how workers are run.
        scratch: folder for states.
    """

    def __init__(
        self,
        lanes: dict[str, BackendLane],
        exact: BackendLane,
        settings: WorkerSettings,
        scratch: Path,
    ) -> None:
        self._lanes = lanes
        self._exact = exact
        self._settings = settings
        self._scratch = scratch
        self._benches: dict[tuple[str, int], _Bench] = {}

    @property
    def reference(self) -> str:
        """The backend that the others are held against."""
        return next(iter(self._lanes))

    async def fault(self, fault: Fault, backend: str) -> FaultOutcome:
        """Plant a fault in a worker of its own and say what was found."""
        try:
            bench = await self._bench(fault.variant, 0)
            planted = dataclasses.replace(
                self._settings, setup={backend: f"backends_matrix.selftest.faults:{fault.name}"}
            )
            async with BackendLane(backend, planted) as lane:
                found = await self._compare(bench, lane, fault.variant, 0, fault.name)
        except WorkerError as error:
            return FaultOutcome(fault, error=str(error))
        differing = [each for each in found if each.verdict is Agreement.DIFFERS]
        explanations = explain(found)
        return FaultOutcome(
            fault,
            explanations[0].kind if explanations else "",
            tuple(sorted({each.level for each in differing})),
            _largest_share(found),
        )

    async def clean(self, variant: str, backend: str, seed: int) -> CleanOutcome:
        """Train as it should be, and say what was found all the same."""
        bench = await self._bench(variant, seed)
        name = f"{backend}-clean"
        found = await self._compare(bench, self._lanes[backend], variant, seed, name)
        alarms = tuple(
            f"{each.quantity} at epoch {each.epoch} (level {each.level})"
            for each in found
            if each.verdict is Agreement.DIFFERS
        )
        return CleanOutcome(variant, backend, seed, len(found), alarms, _largest_share(found))

    async def _bench(self, variant: str, seed: int) -> _Bench:
        key = (variant, seed)
        if key not in self._benches:
            lane = self._lanes[self.reference]
            cells = [
                _cell(variant, self.reference, seed, replica) for replica in range(REPLICAS + 1)
            ]
            results = [await lane.run(cell, Silent()) for cell in cells]
            broken = [each.reason for each in results if not each.ok]
            if broken:
                raise RunError(f"the self-test's own {variant} does not run: {broken[0]}")
            folder = self._scratch / f"{variant}-{seed}"
            folder.mkdir()
            place = {"cell": cells[0].to_json(), "folder": str(folder)}
            await lane.ask({"do": "record", **place})
            for name, where, moves in ((self.reference, lane, 0), (JUDGE, self._exact, MOVES)):
                (folder / name).mkdir()
                await where.ask({"do": "replay", **place, "name": name, "moves": moves})
            self._benches[key] = _Bench(results, folder)
        return self._benches[key]

    async def _compare(
        self, bench: _Bench, lane: BackendLane, variant: str, seed: int, name: str
    ) -> list[Comparison]:
        cell = _cell(variant, lane.backend, seed, 0)
        result = await lane.run(cell, Silent())
        if not result.ok:
            raise WorkerError(result.reason)
        (bench.folder / name).mkdir(exist_ok=True)
        place = {"cell": cell.to_json(), "folder": str(bench.folder), "name": name, "moves": 0}
        await lane.ask({"do": "replay", **place})
        steps = judge_steps(bench.folder, bench.results[0].cell, [self.reference, name])
        return [
            *judge([*bench.results, result], self.reference),
            *(
                dataclasses.replace(each, backend=lane.backend)
                for each in steps
                if each.backend == name
            ),
        ]


async def run(
    faults: Sequence[Fault],
    seeds: Iterable[int],
    backends: Sequence[str],
    *,
    threads: int = 1,
    report: Report = lambda outcome: None,
) -> Outcome:
    """Plant each fault on the last backend, and train cleanly with each seed on all but the reference.

    Args:
        faults: which.
        seeds: of the clean trainings; every variant is trained with each.
        backends: two or more; the first is the reference.
        threads: bound on each worker's threads.
        report: is told of every outcome.

    Raises:
        RunError: fewer than two backends, none that computes in float64, or a worker that fails.
    """
    judge_on = next((each for each in JUDGES if installed(each)), None)
    if len(backends) < 2 or judge_on is None:
        raise RunError(
            "the self-test needs two backends, one of them jax or tensorflow; "
            f"installed: {', '.join(backends) or 'none'}"
        )
    outcome = Outcome(backends[0], backends[-1])
    async with AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="portable-selftest-")))
        (scratch / "cells").mkdir()
        settings = WorkerSettings(
            scratch, threads=threads, silence=SILENCE, cache=scratch / "compiled"
        )
        lanes = {
            backend: await stack.enter_async_context(BackendLane(backend, settings))
            for backend in backends
        }
        exact = await stack.enter_async_context(BackendLane(judge_on, settings, double=True))
        test = SelfTest(lanes, exact, settings, scratch)
        try:
            for fault in faults:
                outcome.faults.append(await test.fault(fault, backends[-1]))
                report(outcome.faults[-1])
            for seed in seeds:
                for variant in VARIANTS:
                    for backend in backends[1:]:
                        outcome.clean.append(await test.clean(variant, backend, seed))
                        report(outcome.clean[-1])
        except WorkerError as error:
            raise RunError(f"the self-test could not be run: {error}") from None
    return outcome


def _cell(variant: str, backend: str, seed: int, replica: int) -> Cell:
    return Cell(experiment=STUDY, variant=variant, backend=backend, seed=seed, replica=replica)


def _largest_share(comparisons: Iterable[Comparison]) -> float:
    return max(
        (each.difference / each.tolerance for each in comparisons if each.tolerance), default=0.0
    )
