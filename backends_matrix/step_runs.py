"""Run what level 1 judges: states along the reference's training, and one step from each, everywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from backends_matrix.agreement import Comparison
from backends_matrix.cell import Cell
from backends_matrix.environment import installed
from backends_matrix.level_1 import JUDGE, judge_steps
from backends_matrix.process import WorkerError
from backends_matrix.runner import BackendLane, WorkerSettings

JUDGES = ("jax", "tensorflow")
"""Who computes in float64, by preference. Both do so throughout and agree to 1e-15 in outputs and gradients
of the built-in studies; Keras on PyTorch falls back to float32 in sums, so it cannot judge."""

MOVES = 4
"""How often the float64 step is repeated with all that goes in moved by one unit in the last place."""


class StepError(Exception):
    """A variant's steps could not be looked at; the message says why."""


async def compare_steps(
    cells: Sequence[Cell],
    lanes: Mapping[str, BackendLane],
    settings: WorkerSettings,
    silence: float,
) -> tuple[list[Comparison], dict[Cell, str]]:
    """Level 1 for each of these reference cells.

    Args:
        cells: cells of the reference that ended well.
        lanes: backend -> its lane, of the backends that take part, the reference's included.
        settings: how workers are run.
        silence: seconds without a sign of life after which a worker is given up.

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
        exact = await stack.enter_async_context(BackendLane(judge, settings, double=True))
        for cell in cells:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="portable-steps-")))
            try:
                await _steps_of(cell, lanes, exact, folder, silence)
            except StepError as error:
                failures[cell] = str(error)
            else:
                found += judge_steps(folder, cell, list(lanes))
    return found, failures


async def _steps_of(
    cell: Cell, lanes: Mapping[str, BackendLane], exact: BackendLane, folder: Path, silence: float
) -> None:
    reference = lanes[cell.backend]
    await _ask(reference, {"do": "record", "cell": cell.to_json(), "folder": str(folder)}, silence)

    async def replay(name: str, lane: BackendLane, moves: int) -> None:
        (folder / name).mkdir()
        command = {"cell": cell.to_json(), "folder": str(folder), "name": name, "moves": moves}
        await _ask(lane, {"do": "replay", **command}, silence)

    others = [replay(name, lane, 0) for name, lane in lanes.items()]
    outcomes = await asyncio.gather(replay(JUDGE, exact, MOVES), *others, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _ask(lane: BackendLane, command: Mapping[str, object], silence: float) -> None:
    try:
        worker = await lane.worker()
        await worker.answer(command, silence)
    except WorkerError as error:
        await lane.reset()
        raise StepError(f"{lane.name}: {error}") from None
