"""Run the cells of every backend, one worker each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

from backends_matrix.run.cards import Gates
from backends_matrix.run.cell import Cell
from backends_matrix.run.observer import Observer
from backends_matrix.run.result import CellResult, write_result
from backends_matrix.run.seed_cells import group_cells
from backends_matrix.run.supervisor import WorkerSettings, WorkerSupervisor


async def run_backend(
    supervisor: WorkerSupervisor,
    cells: Sequence[Cell],
    settings: WorkerSettings,
    observer: Observer,
    record: Callable[[CellResult], None],
    *,
    side_by_side: bool = False,
) -> None:
    """Run a backend's cells one after the other; each result is written and recorded as it comes.

    Replicas of one training are trained together; with ``side_by_side``, seeds are too.
    """
    for group in group_cells(cells, seeds=side_by_side):
        for result in await supervisor.run_seeds(group, observer):
            _keep_result(result, settings, observer, record)


def _keep_result(
    result: CellResult,
    settings: WorkerSettings,
    observer: Observer,
    record: Callable[[CellResult], None],
) -> None:
    if not result.comparable:
        # On a full disk it is known all the same, and stands in the report.
        with contextlib.suppress(OSError):
            write_result(result, settings.cells)
    record(result)
    observer.finished(result)


async def run_cells(
    cells: Sequence[Cell],
    supervisors: Mapping[str, WorkerSupervisor],
    settings: WorkerSettings,
    *,
    gates: Gates,
    observer: Observer,
    record: Callable[[CellResult], None],
    finish_backend: Callable[[WorkerSupervisor], Awaitable[None]],
) -> None:
    """Run cells, each backend's in its own worker.

    Args:
        cells: what is still to be run.
        supervisors: backend -> its supervisor; one without cells to run is finished too.
        settings: how workers are run.
        gates: say when a worker may run.
        observer: called for every epoch and cell.
        record: is given every result.
        finish_backend: is awaited for every supervisor when its cells are done, before its worker ends.
    """

    async def one(supervisor: WorkerSupervisor) -> None:
        mine = [cell for cell in cells if cell.backend == supervisor.backend]
        async with gates.turn(supervisor.backend):
            await run_backend(supervisor, mine, settings, observer, record)
            await finish_backend(supervisor)
            await supervisor.close()

    async with asyncio.TaskGroup() as group:
        for supervisor in supervisors.values():
            group.create_task(one(supervisor))
