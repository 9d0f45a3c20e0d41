"""Results on disk: what is missing, stale, torn or not finite never counts."""

import json
import math

import pytest

from backends_matrix.run.cell import Cell
from backends_matrix.run.result import RESULT_FILE, CellResult, Status, read_result, write_result

CELL = Cell(experiment="study", variant="plain", backend="jax")


def ok(cell=CELL, **outcome):
    return CellResult(cell, Status.OK, outcome={"history": {"loss": [0.5]}, "final": {}, **outcome})


def test_a_result_survives_the_disk(tmp_path):
    written = CellResult(
        CELL, Status.OK, "", 1.5, 1024, {"history": {"loss": [0.5]}, "final": {}}, {"keras": "3"}
    )
    write_result(written, tmp_path)
    assert read_result(CELL, tmp_path) == written


def test_a_missing_result_is_invalid(tmp_path):
    found = read_result(CELL, tmp_path)
    assert (found.status, found.reason) == (Status.INVALID, "the worker wrote no result")


def test_a_torn_result_is_invalid(tmp_path):
    path = write_result(ok(), tmp_path)
    path.write_text(path.read_text()[:40])
    assert read_result(CELL, tmp_path).status is Status.INVALID


@pytest.mark.parametrize("content", ["[]", "{}", "null", '{"cell": 3}', "\x00"])
def test_a_result_of_another_shape_is_invalid(tmp_path, content):
    write_result(ok(), tmp_path).write_text(content)
    found = read_result(CELL, tmp_path)
    assert found.status is Status.INVALID
    assert "cannot be read" in found.reason


def test_a_result_of_another_cell_is_invalid(tmp_path):
    other = Cell(experiment="study", variant="plain", backend="jax", seed=1)
    path = write_result(ok(other), tmp_path)
    target = tmp_path / CELL.key / RESULT_FILE
    target.parent.mkdir()
    target.write_text(path.read_text())
    assert "belongs to another cell" in read_result(CELL, tmp_path).reason


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", ["history", "final"])
def test_a_number_that_is_not_finite_is_invalid(tmp_path, value, place):
    bad = {"history": {"loss": [0.5, value]}} if place == "history" else {"final": {"loss": value}}
    path = write_result(ok(**bad), tmp_path)
    json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    found = read_result(CELL, tmp_path)
    assert found.status is Status.INVALID
    assert "loss is not a finite number" in found.reason


def test_an_empty_history_is_invalid(tmp_path):
    write_result(ok(history={}), tmp_path)
    assert read_result(CELL, tmp_path).reason == "the result holds no history"


def test_every_field_of_a_cell_changes_its_folder():
    changed = {
        "experiment": "other",
        "variant": "other",
        "backend": "torch",
        "pipeline": "pandas",
        "device": "gpu",
        "engine": "keras",
        "replica": 1,
        "data": "full",
        "epochs": 3,
        "seed": 1,
        "trust": True,
    }
    keys = {Cell(**{**CELL.to_json(), name: value}).key for name, value in changed.items()}
    assert len(keys | {CELL.key}) == len(changed) + 1
    assert set(changed) == set(CELL.to_json())


def test_a_name_cannot_lead_out_of_the_folder():
    key = Cell(experiment="../../etc:passwd", variant="/x", backend="jax").key
    assert "/" not in key
