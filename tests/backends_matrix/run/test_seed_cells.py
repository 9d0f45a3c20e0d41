"""Cells that differ in the seed only are trained side by side, and every one of them has a result."""

import asyncio
from pathlib import Path

import pytest

from backends_matrix.run.cell import Cell
from backends_matrix.run.observer import Silent
from backends_matrix.run.process import WorkerCrashedError
from backends_matrix.run.result import CellResult, Status, write_result
from backends_matrix.run.seed_cells import LARGEST_GROUP, group_cells
from backends_matrix.run.supervisor import WorkerSettings, WorkerSupervisor


def cell(seed=0, **changes):
    return Cell(
        **{"experiment": "boston", "variant": "final", "backend": "jax", "seed": seed} | changes
    )


def test_seeds_of_one_side_are_one_group():
    sides = [cell(seed, pipeline=name) for seed in range(3) for name in ("numpy", "pandas")]
    assert [[each.seed for each in group] for group in group_cells(sides, seeds=True)] == [
        [0, 1, 2]
    ] * 2


@pytest.mark.parametrize(
    "other", [{"variant": "kfold"}, {"epochs": 3}, {"data": "full"}, {"replica": 1}]
)
def test_cells_that_differ_in_more_than_the_seed_are_apart(other):
    assert group_cells([cell(0), cell(1, **other)], seeds=True) == [[cell(0)], [cell(1, **other)]]


def test_replicas_of_one_training_are_one_group_and_seeds_of_a_matrix_are_not():
    cells = [cell(seed, replica=replica) for seed in (0, 1) for replica in (0, 1, 2, 3)]
    found = group_cells(cells, seeds=False)
    assert [[(each.seed, each.replica) for each in group] for group in found] == [
        [(0, 0)],
        [(0, 1), (0, 2), (0, 3)],
        [(1, 0)],
        [(1, 1), (1, 2), (1, 3)],
    ]


def test_cells_of_model_fit_are_apart():
    cells = [cell(seed, engine="keras") for seed in range(2)]
    assert group_cells(cells, seeds=True) == [[each] for each in cells]


def test_an_interrupted_run_loses_no_more_than_a_group():
    cells = [cell(seed) for seed in range(2 * LARGEST_GROUP + 1)]
    assert [len(group) for group in group_cells(cells, seeds=True)] == [
        LARGEST_GROUP,
        LARGEST_GROUP,
        1,
    ]


def finished(one):
    outcome = {
        "history": {"loss": [1.0]},
        "final": {},
        "digests": {},
        "engine": "compiled",
        "engine_reason": "",
        "compile_seconds": 0.0,
        "epochs": 1,
        "parameters": 1,
        "samples": {"train": 1},
        "real_data": False,
        "examples": [],
    }
    return CellResult(one, Status.OK, "", 1.0, 1, outcome)


class Worker:
    """Finishes the first of several cells and dies; runs single cells to their end."""

    def __init__(self, folder):
        self.folder = folder
        self.asked = []

    async def ask(self, command, silence):
        self.asked.append(command["do"])
        cells = [Cell.from_json(each) for each in command.get("cells", [command.get("cell")])]
        write_result(finished(cells[0]), self.folder)
        yield {"event": "epoch", "epoch": 1, "epochs": 2, "metrics": {}}
        if len(cells) > 1:
            raise WorkerCrashedError("the worker died")

    async def kill(self):
        pass


class Notes(Silent):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def test_a_crash_of_several_seeds_loses_none(tmp_path: Path, monkeypatch):
    (tmp_path / "cells").mkdir()
    supervisor = WorkerSupervisor("jax", WorkerSettings(tmp_path))
    worker, notes = Worker(supervisor._settings.cells), Notes()

    async def get():
        return worker

    monkeypatch.setattr(supervisor, "worker", get)
    cells = [cell(seed) for seed in range(3)]
    found = asyncio.run(supervisor.run_seeds(cells, notes))
    assert [(each.cell, each.status) for each in found] == [(each, Status.OK) for each in cells]
    # The first had its result when the worker died; the others are run by themselves.
    assert worker.asked == ["run_seeds", "run", "run"]
    assert notes.notes == ["3 trainings side by side: the worker died"]


def test_results_of_an_earlier_run_are_not_taken_for_new_ones(tmp_path: Path, monkeypatch):
    (tmp_path / "cells").mkdir()
    supervisor = WorkerSupervisor("jax", WorkerSettings(tmp_path))
    worker = Worker(supervisor._settings.cells)

    async def get():
        return worker

    monkeypatch.setattr(supervisor, "worker", get)
    cells = [cell(seed) for seed in range(2)]
    for each in cells:
        write_result(finished(each), supervisor._settings.cells)
    asyncio.run(supervisor.run_seeds(cells, Silent()))
    assert worker.asked == ["run_seeds", "run"]
