"""Record states along the reference's training, and run one step from each on every backend."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from backends_matrix.check.members import JUDGES as PREFERRED_JUDGES
from backends_matrix.judge.comparison import Comparison
from backends_matrix.judge.steps import JUDGE, judge_steps
from backends_matrix.run.cards import Gates
from backends_matrix.run.cell import Cell
from backends_matrix.run.environment import installed
from backends_matrix.run.process import WorkerError
from backends_matrix.run.step_parts import is_located, name_places
from backends_matrix.run.supervisor import WorkerSettings, WorkerSupervisor

JUDGES = ("jax", "tensorflow")
"""Backends that compute in float64, by preference. Both agree to 1e-15 in outputs and gradients of the
built-in studies."""

PART_JUDGES = PREFERRED_JUDGES[:2]
"""Backends that record the gradient of every layer's output. JAX does not: it differentiates functions."""

MOVES = 4
"""How often the float64 step is repeated with all that goes in moved by one unit in the last place."""


class StepsFailedError(Exception):
    """A variant's steps could not be looked at; the message says why."""


async def compare_steps(
    cells: Sequence[Cell],
    supervisors: Mapping[str, WorkerSupervisor],
    settings: WorkerSettings,
    silence: float,
    gates: Gates,
) -> tuple[list[Comparison], dict[Cell, str]]:
    """Level 1 for each of these reference cells.

    Args:
        cells: cells of the reference that ended well.
        supervisors: backend -> its supervisor, of the backends that take part, the reference's included.
        settings: how workers are run.
        silence: seconds without a sign of life after which a worker is given up.
        gates: say when a worker may compute.

    Returns:
        The comparisons, and why there are none for a cell that has none.
    """
    judge = next((each for each in JUDGES if installed(each)), None)
    if judge is None:
        return [], dict.fromkeys(
            cells, f"none of {', '.join(JUDGES)} is installed to judge in float64"
        )
    found: list[Comparison] = []
    failures: dict[Cell, str] = {}
    async with AsyncExitStack() as stack:
        exact, parts = [
            await stack.enter_async_context(WorkerSupervisor(each, settings, double=True))
            for each in (judge, next((name for name in PART_JUDGES if installed(name)), judge))
        ]
        for cell in cells:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="portable-steps-")))
            try:
                await _steps_of(cell, supervisors, exact, folder, silence, gates)
                compared = judge_steps(folder, cell, list(supervisors))
                compared = await _with_places(
                    cell, compared, supervisors, parts, folder, silence, gates
                )
            except (StepsFailedError, OSError, ValueError, KeyError) as error:
                failures[cell] = str(error) or type(error).__name__
                continue
            if not compared:
                failures[cell] = "no step was recorded"
            found += compared
    return found, failures


async def _steps_of(
    cell: Cell,
    supervisors: Mapping[str, WorkerSupervisor],
    exact: WorkerSupervisor,
    folder: Path,
    silence: float,
    gates: Gates,
) -> None:
    reference = supervisors[cell.backend]
    await _ask(reference, {"do": "record", "cell": cell.to_json(), "folder": str(folder)}, silence)
    if gates.exclusive:
        await reference.close()

    async def replay(name: str, supervisor: WorkerSupervisor, moves: int) -> None:
        (folder / name).mkdir()
        command = {"cell": cell.to_json(), "folder": str(folder), "name": name, "moves": moves}
        await _ask(supervisor, {"do": "replay", **command}, silence)

    async def in_turn(name: str, supervisor: WorkerSupervisor) -> None:
        async with gates.turn(name):
            await replay(name, supervisor, 0)
            if gates.exclusive:
                await supervisor.close()

    # The judge computes on the CPU, whatever the others compute on.
    others = [in_turn(name, supervisor) for name, supervisor in supervisors.items()]
    outcomes = await asyncio.gather(replay(JUDGE, exact, MOVES), *others, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _with_places(
    cell: Cell,
    compared: list[Comparison],
    supervisors: Mapping[str, WorkerSupervisor],
    parts: WorkerSupervisor,
    folder: Path,
    silence: float,
    gates: Gates,
) -> list[Comparison]:
    """The comparisons with the layers that differences begin in, or why none was looked for."""

    async def ask(name: str, command: Mapping[str, object]) -> None:
        command = {**command, "cell": cell.to_json()}
        if name == JUDGE:
            await _ask(parts, command, silence)
            return
        async with gates.turn(name):
            await _ask(supervisors[name], command, silence)
            if gates.exclusive:
                await supervisors[name].close()

    try:
        return await name_places(compared, cell.backend, folder, ask)
    except (StepsFailedError, OSError, ValueError, KeyError) as error:
        why = f"; the layer that it begins in was not found: {error}"
        return [
            dataclasses.replace(each, why=each.why + why) if is_located(each) else each
            for each in compared
        ]


async def _ask(supervisor: WorkerSupervisor, command: Mapping[str, object], silence: float) -> None:
    try:
        worker = await supervisor.worker()
        await worker.answer(command, silence)
    except WorkerError as error:
        await supervisor.reset()
        raise StepsFailedError(f"{supervisor.name}: {error}") from None
