"""Run the self-test: faults planted one at a time, and clean trainings that must raise nothing."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

from backends_matrix.errors import RunError
from backends_matrix.judge.cells import judge_cells
from backends_matrix.judge.comparison import Agreement, Comparison
from backends_matrix.judge.explanation import explain
from backends_matrix.judge.steps import JUDGE, judge_steps
from backends_matrix.run.environment import installed
from backends_matrix.run.observer import Silent
from backends_matrix.run.process import WorkerError
from backends_matrix.run.result import CellResult
from backends_matrix.run.step_parts import name_places
from backends_matrix.run.step_runs import JUDGES, MOVES, PART_JUDGES
from backends_matrix.run.supervisor import WorkerSettings, WorkerSupervisor
from backends_matrix.selftest.catalogue import FAULTS, UNREPEATABLE, Fault
from backends_matrix.selftest.outcome import CleanOutcome, FaultOutcome, Outcome
from backends_matrix.selftest.seed_trainings import SeedTrainings, cell_of
from portable_models._cores import cores

SILENCE = 300.0
REPLICAS = (1, 2)
"""On the reference."""
JUDGED = (0, REPLICAS[-1] + 1)
"""On the judged backend: the training and one replica, as in the matrix."""
VARIANTS = tuple(dict.fromkeys(fault.variant for fault in FAULTS))


Report = Callable[[FaultOutcome | CleanOutcome], None]
Found = TypeVar("Found", FaultOutcome, CleanOutcome)


class _Bench(NamedTuple):
    """The reference's side of one variant and seed: cells, states, and the judge's steps."""

    results: list[CellResult]
    folder: Path


class SelfTest:
    """Runs faults and clean trainings on supervisors that stay open.

    Args:
        supervisors: backend -> its supervisor, the reference first.
        exact: the supervisor that computes in float64.
        parts: the one that computes parts of a model in float64.
        settings: how workers are run.
        scratch: folder for states.
        seeds: of the clean trainings; those of a variant are trained side by side.
    """

    def __init__(
        self,
        supervisors: dict[str, WorkerSupervisor],
        exact: WorkerSupervisor,
        parts: WorkerSupervisor,
        settings: WorkerSettings,
        scratch: Path,
        seeds: Sequence[int] = (),
    ) -> None:
        self._supervisors = supervisors
        self._exact, self._parts = exact, parts
        self._placing: dict[str, asyncio.Lock] = {}
        self._settings = settings
        self._scratch = scratch
        self._benches: dict[tuple[str, int], asyncio.Future[_Bench]] = {}
        # A worker answers one command at a time; what belongs together is not interrupted.
        self._turns = {
            supervisor.name: asyncio.Lock() for supervisor in (*supervisors.values(), exact, parts)
        }
        # Faults are planted in the training of seed 0.
        self._trainings = SeedTrainings((0, *seeds), self._turns)

    @property
    def reference(self) -> str:
        """The backend that the others are held against."""
        return next(iter(self._supervisors))

    async def fault(self, fault: Fault, backend: str) -> FaultOutcome:
        """Plant a fault in a worker of its own and say what was found."""
        try:
            bench = await self._bench(fault.variant, 0)
            # A folder of its own: the same cell may run without the fault at the same time.
            planted = dataclasses.replace(
                self._settings,
                out=self._scratch / "planted" / fault.name,
                setup={backend: fault.setup},
            )
            planted.cells.mkdir(parents=True)
            async with WorkerSupervisor(backend, planted) as supervisor:
                if fault.kind == UNREPEATABLE:
                    return await _repeated(fault, supervisor)
                cells = [cell_of(fault.variant, backend, 0, replica) for replica in JUDGED]
                results = [await supervisor.run(each, Silent()) for each in cells]
                found = await self._compare(bench, supervisor, results, fault.name)
                found = await self._placed(found, bench, supervisor, fault)
        except WorkerError as error:
            return FaultOutcome(fault, error=str(error))
        differing = [each for each in found if each.verdict is Agreement.DIFFERS]
        explanations = explain(found)
        return FaultOutcome(
            fault,
            explanations[0].kind if explanations else "",
            tuple(sorted({each.level for each in differing})),
            _largest_share(found),
            said=explanations[0].sentence if explanations else "",
        )

    async def _placed(
        self,
        found: list[Comparison],
        bench: _Bench,
        supervisor: WorkerSupervisor,
        fault: Fault,
    ) -> list[Comparison]:
        """The comparisons with the layers that differences begin in."""
        cell = cell_of(fault.variant, supervisor.backend, 0, 0).to_json()

        async def ask(name: str, command: Mapping[str, Any]) -> None:
            if name == fault.name:
                await supervisor.ask({**command, "cell": cell})
                return
            # Under its own name a backend is the reference.
            other = self._parts if name == JUDGE else self._supervisors[self.reference]
            async with self._turns[other.name]:
                await other.ask({**command, "cell": cell})

        named = [dataclasses.replace(each, backend=fault.name) for each in found]
        async with self._placing.setdefault(fault.variant, asyncio.Lock()):
            placed = await name_places(named, self.reference, bench.folder, ask)
        return [dataclasses.replace(each, backend=supervisor.backend) for each in placed]

    async def clean(self, variant: str, backend: str, seed: int) -> CleanOutcome:
        """Train as it should be, and say what was found all the same."""
        bench = await self._bench(variant, seed)
        supervisor = self._supervisors[backend]
        results = (await self._trainings.results(variant, supervisor, JUDGED))[seed]
        async with self._turns[supervisor.name]:
            found = await self._compare(bench, supervisor, results, f"{backend}-clean")
        alarms = tuple(
            f"{each.quantity} at epoch {each.epoch} (level {each.level})"
            for each in found
            if each.verdict is Agreement.DIFFERS
        )
        return CleanOutcome(variant, backend, seed, len(found), alarms, _largest_share(found))

    async def _bench(self, variant: str, seed: int) -> _Bench:
        # Made once; whoever else needs it meanwhile waits for it.
        key = (variant, seed)
        if key not in self._benches:
            self._benches[key] = asyncio.ensure_future(self._make_bench(variant, seed))
        return await self._benches[key]

    async def _make_bench(self, variant: str, seed: int) -> _Bench:
        supervisor = self._supervisors[self.reference]
        results = (await self._trainings.results(variant, supervisor, (0, *REPLICAS)))[seed]
        if broken := [each.reason for each in results if not each.ok]:
            raise RunError(f"the self-test's own {variant} does not run: {broken[0]}")
        folder = self._scratch / f"{variant}-{seed}"
        place = {"cell": results[0].cell.to_json(), "folder": str(folder)}
        folder.mkdir()
        for name in (self.reference, JUDGE):
            (folder / name).mkdir()
        async with self._turns[supervisor.name]:
            await supervisor.ask({"do": "record", **place})
            await supervisor.ask({"do": "replay", **place, "name": self.reference, "moves": 0})
        async with self._turns[self._exact.name]:
            await self._exact.ask({"do": "replay", **place, "name": JUDGE, "moves": MOVES})
        return _Bench(results, folder)

    async def _compare(
        self, bench: _Bench, supervisor: WorkerSupervisor, results: list[CellResult], name: str
    ) -> list[Comparison]:
        if broken := [each.reason for each in results if not each.comparable]:
            raise WorkerError(broken[0])
        (bench.folder / name).mkdir(exist_ok=True)
        cell = results[0].cell.to_json()
        place = {"cell": cell, "folder": str(bench.folder), "name": name, "moves": 0}
        await supervisor.ask({"do": "replay", **place})
        steps = judge_steps(bench.folder, bench.results[0].cell, [self.reference, name])
        return [
            *judge_cells([*bench.results, *results], self.reference),
            *(
                dataclasses.replace(each, backend=supervisor.backend)
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
        report: called with every outcome.

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
        supervisors = {
            backend: await stack.enter_async_context(WorkerSupervisor(backend, settings))
            for backend in backends
        }
        exact = await stack.enter_async_context(WorkerSupervisor(judge_on, settings, double=True))
        parts_on = next((each for each in PART_JUDGES if installed(each)), judge_on)
        parts = await stack.enter_async_context(WorkerSupervisor(parts_on, settings, double=True))
        seeds = list(seeds)
        test = SelfTest(supervisors, exact, parts, settings, scratch, seeds)
        # One more than there are cores, since some wait for another's worker.
        gate = asyncio.Semaphore(cores() + 1)

        async def done(work: Callable[[], Awaitable[Found]]) -> Found:
            async with gate:
                found = await work()
            report(found)
            return found

        try:
            async with asyncio.TaskGroup() as group:
                planted = [
                    group.create_task(done(partial(test.fault, fault, backends[-1])))
                    for fault in faults
                ]
                trained = [
                    group.create_task(done(partial(test.clean, variant, backend, seed)))
                    for seed in seeds
                    for variant in VARIANTS
                    for backend in backends[1:]
                ]
        except* (WorkerError, RunError) as errors:
            raise RunError(f"the self-test could not be run: {errors.exceptions[0]}") from None
        outcome.faults = [task.result() for task in planted]
        outcome.clean = [task.result() for task in trained]
    return outcome


async def _repeated(fault: Fault, supervisor: WorkerSupervisor) -> FaultOutcome:
    """What running the first steps twice says of a fault that draws from outside."""
    cell = cell_of(fault.variant, supervisor.backend, 0, 0)
    answer = await supervisor.ask({"do": "repeat", "cell": cell.to_json()})
    kind = UNREPEATABLE if answer["changes"] else ""
    return FaultOutcome(fault, kind, said=answer["layer"])


def _largest_share(comparisons: Iterable[Comparison]) -> float:
    return max(
        (each.difference / each.tolerance for each in comparisons if each.tolerance), default=0.0
    )
