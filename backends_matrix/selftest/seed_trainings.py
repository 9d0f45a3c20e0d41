"""The trainings of the self-test without a fault: all seeds of a variant side by side, each once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from backends_matrix.run.cell import Cell
from backends_matrix.run.observer import Silent
from backends_matrix.run.result import CellResult
from backends_matrix.run.seed_cells import group_cells
from backends_matrix.run.supervisor import WorkerSupervisor

STUDY = "backends_matrix.selftest.study:study"

Results: TypeAlias = dict[int, list[CellResult]]
"""Seed -> the result of each replica."""


def cell_of(variant: str, backend: str, seed: int, replica: int) -> Cell:
    """A cell of the self-test's study."""
    return Cell(experiment=STUDY, variant=variant, backend=backend, seed=seed, replica=replica)


class SeedTrainings:
    """Trains the seeds of a variant side by side, when the first of them is asked for.

    Args:
        seeds: of every variant; one that comes twice is trained once.
        turns: supervisor's name -> held while its worker trains.
    """

    def __init__(self, seeds: Iterable[int], turns: Mapping[str, asyncio.Lock]) -> None:
        self._seeds = tuple(dict.fromkeys(seeds))
        self._turns = turns
        self._trained: dict[tuple[str, str], asyncio.Future[Results]] = {}

    async def results(
        self, variant: str, supervisor: WorkerSupervisor, replicas: Sequence[int]
    ) -> Results:
        """The results of every seed; whoever asks while they are trained waits for them.

        Args:
            variant: of the study.
            supervisor: of the backend that trains; it is always asked for the same replicas.
            replicas: 0 and those that are rounded otherwise.
        """
        key = (variant, supervisor.backend)
        if key not in self._trained:
            self._trained[key] = asyncio.ensure_future(self._train(variant, supervisor, replicas))
        return await self._trained[key]

    async def _train(
        self, variant: str, supervisor: WorkerSupervisor, replicas: Sequence[int]
    ) -> Results:
        found: Results = {seed: [] for seed in self._seeds}
        cells = [
            cell_of(variant, supervisor.backend, seed, replica)
            for replica in replicas
            for seed in self._seeds
        ]
        for group in group_cells(cells, seeds=True):
            async with self._turns[supervisor.name]:
                for result in await supervisor.run_seeds(group, Silent()):
                    found[result.cell.seed].append(result)
        return found
