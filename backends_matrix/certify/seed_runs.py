"""Train the seeds of a certificate on every side: a pilot where one is asked for, then the seeds that decide.

The trainings are cells of the matrix and run as those do: one worker per backend, a crash loses one
training, Ctrl-C keeps what has finished, and ``resume`` continues.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from backends_matrix.certify.settings import CertifySettings, Side
from backends_matrix.errors import CallError, RunError
from backends_matrix.run.cards import Gates
from backends_matrix.run.cell import Cell
from backends_matrix.run.cell_runs import run_backend
from backends_matrix.run.descriptions import describe_experiments
from backends_matrix.run.identity import Identity
from backends_matrix.run.interruption import run_until_interrupted
from backends_matrix.run.observer import Observer
from backends_matrix.run.out_folder import open_folder
from backends_matrix.run.process import WorkerError
from backends_matrix.run.result import CellResult, read_result
from backends_matrix.run.resume import Resumed, find_finished
from backends_matrix.run.supervisor import WorkerSettings, WorkerSupervisor
from portable_models.cache import programs_folder


@dataclass
class SeedRuns:
    """What a run of seeds came to so far.

    Args:
        experiment: name of the study as it was asked for.
        variant: name of the variant.
        description: what a worker said of the study.
        results: side -> seed -> the cell's result.
        planned: number of trainings that are planned so far.
        interrupted: the name of the signal that ended the run; empty if none did.
        identities: seed -> what a worker finds of the study today, built with that seed; one seed or none.
    """

    experiment: str
    variant: str
    description: Mapping[str, Any] = field(default_factory=dict)
    results: dict[Side, dict[int, CellResult]] = field(default_factory=dict)
    planned: int = 0
    interrupted: str = ""
    identities: dict[int, Identity] = field(default_factory=dict)

    @property
    def finished(self) -> int:
        """The number of trainings that ran to their end."""
        return sum(
            each.comparable for results in self.results.values() for each in results.values()
        )


NextSeeds = Callable[[SeedRuns], Sequence[int]]
"""Gives the seeds to train next, looking at what there is; no seeds end the run."""


def run_seeds(
    experiment: str,
    variant: str,
    settings: CertifySettings,
    sides: Sequence[Side],
    next_seeds: NextSeeds,
    observer: Observer,
    command: Sequence[str] = (),
) -> SeedRuns:
    """Train seeds on every side, as often as more are asked for.

    Args:
        experiment: built-in name or ``package.module:object``.
        variant: name of the variant; empty where the study has one only.
        settings: what is asked for.
        sides: where to train.
        next_seeds: called before every round of trainings.
        observer: called for every epoch and training.
        command: the command line, for the marker in the folder.

    Raises:
        CallError: an unknown study or variant, or a folder that cannot be written to.
        RunError: no backend could be started, the study cannot be loaded, or another run uses the folder.
    """
    runs = SeedRuns(experiment, variant, results={side: {} for side in sides})
    with open_folder(settings.out, resume=settings.resume, command=list(command)) as note:
        if note:
            observer.note(note)
        runs.interrupted = run_until_interrupted(_run(runs, settings, next_seeds, observer))
    return runs


async def _run(
    runs: SeedRuns, settings: CertifySettings, next_seeds: NextSeeds, observer: Observer
) -> None:
    matrix = settings.matrix_settings()
    async with AsyncExitStack() as stack:
        workers = WorkerSettings(
            settings.out,
            device=settings.device,
            threads=matrix.threads,
            silence=settings.timeout,
            cache=programs_folder()
            or Path(stack.enter_context(TemporaryDirectory(prefix="portable-compiled-"))),
            setup=settings.setup,
            placement=matrix.placement,
        )
        gates = Gates(matrix.parallel_workers, workers.placement)
        supervisors = {
            backend: WorkerSupervisor(backend, workers, observer=observer)
            for backend in dict.fromkeys(side.backend for side in runs.results)
        }
        for each in supervisors.values():
            await stack.enter_async_context(each)
        describing, found = await describe_experiments(
            [runs.experiment],
            replace(matrix, backends=tuple(supervisors)),
            supervisors,
            observer,
        )
        runs.description = found[runs.experiment]
        runs.variant = choose_variant(runs.experiment, runs.variant, runs.description)
        while seeds := [seed for seed in next_seeds(runs) if not _has(runs, seed)]:
            cells = {
                settings.cell(runs.experiment, runs.variant, side, seed): side
                for seed in seeds
                for side in runs.results
            }
            runs.planned += len(cells)

            def record(result: CellResult, cells: Mapping[Cell, Side] = cells) -> None:
                runs.results[cells[result.cell]][result.cell.seed] = result

            if settings.resume:
                await _keep_finished(runs, cells, settings, workers, describing, observer, record)
            missing = [cell for cell, side in cells.items() if cell.seed not in runs.results[side]]
            await _train(missing, supervisors, workers, gates, observer, record)


def choose_variant(experiment: str, variant: str, description: Mapping[str, Any]) -> str:
    """The variant that is meant.

    Raises:
        CallError: there is none of that name, or several where none is named.
        RunError: the study cannot be loaded.
    """
    if fault := description.get("error"):
        raise RunError(f"{experiment}: {fault}")
    known = [each["name"] for each in description["variants"]]
    if not variant and len(known) == 1:
        return str(known[0])
    if variant not in known:
        what = f"has no variant {variant!r}" if variant else "has several variants"
        places = ", ".join(f"{experiment}/{name}" for name in known)
        raise CallError(f"{experiment} {what}: expected one of {places}")
    return variant


def _has(runs: SeedRuns, seed: int) -> bool:
    return all(seed in results for results in runs.results.values())


async def _train(
    cells: Sequence[Cell],
    supervisors: Mapping[str, WorkerSupervisor],
    workers: WorkerSettings,
    gates: Gates,
    observer: Observer,
    record: Callable[[CellResult], None],
) -> None:
    async def one(supervisor: WorkerSupervisor) -> None:
        mine = [cell for cell in cells if cell.backend == supervisor.backend]
        async with gates.turn(supervisor.backend):
            await run_backend(supervisor, mine, workers, observer, record, side_by_side=True)
            if gates.exclusive:
                await supervisor.close()

    async with asyncio.TaskGroup() as group:
        for supervisor in supervisors.values():
            group.create_task(one(supervisor))


async def _keep_finished(
    runs: SeedRuns,
    cells: Mapping[Cell, Side],
    settings: CertifySettings,
    workers: WorkerSettings,
    describing: WorkerSupervisor,
    observer: Observer,
    record: Callable[[CellResult], None],
) -> None:
    """Keep trainings of an earlier run that still count."""
    stored = [result for cell in cells if (result := read_result(cell, workers.cells)).comparable]
    if stored and not runs.identities:
        await _identify(runs, stored[0].cell, describing, observer)
    have = {each.cell for each in stored}
    found = Resumed(missing=[cell for cell in cells if cell not in have])
    for result in stored:
        mine = [
            # Built with one seed: the weights of other seeds follow from the same sources and the seed, and
            # those of both sides are compared seed by seed.
            identity
            if seed == result.cell.seed
            else {**identity, "weights": result.identity.get("weights")}
            for seed, identity in runs.identities.items()
        ]
        one = find_finished(
            [result.cell],
            workers.cells,
            {runs.experiment: {runs.variant: mine[0]}} if mine else {},
            settings.setup,
        )
        found.kept += one.kept
        found.changed |= one.changed
        found.missing += one.missing
    for result in found.kept:
        record(result)
    observer.note(found.to_text())


async def _identify(
    runs: SeedRuns, cell: Cell, worker: WorkerSupervisor, observer: Observer
) -> None:
    """Let a worker build a stored training's model today; without it, no stored training counts."""
    what = "comparing the study with the earlier run"
    observer.waiting(what)
    try:
        answer = await worker.ask({"do": "identify", "cell": cell.to_json()})
        runs.identities[cell.seed] = answer["identity"]
    except WorkerError:
        observer.note(f"{cell.title} could not be built to compare it")
    finally:
        observer.waited(what)
