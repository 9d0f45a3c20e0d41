"""Results on disk: what is missing, stale, torn or not finite never counts."""

import json
import math

import pytest

from backends_matrix.run.cell import Cell
from backends_matrix.run.result import RESULT_FILE, CellResult, Status, read_result, write_result

CELL = Cell(experiment="study", variant="plain", backend="jax")


OUTCOME = {
    "history": {"loss": [0.5]},
    "final": {},
    "digests": {"data": "ab"},
    "engine": "compiled",
    "engine_reason": "",
    "compile_seconds": 0.1,
    "epochs": 1,
    "parameters": 3,
    "samples": {"train": 8, "validation": 4},
    "real_data": True,
    "examples": [{"text": "good", "probability": 0.9, "label": 1.0}],
}


def ok(cell=CELL, **outcome):
    return CellResult(cell, Status.OK, outcome={**OUTCOME, **outcome})


def test_a_result_survives_the_disk(tmp_path):
    written = CellResult(CELL, Status.OK, "", 1.5, 1024, OUTCOME, {"keras": "3"}, {"model": "ab"})
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
    assert "the result file" in found.reason


def test_a_result_of_another_cell_is_invalid(tmp_path):
    other = Cell(experiment="study", variant="plain", backend="jax", seed=1)
    path = write_result(ok(other), tmp_path)
    target = tmp_path / CELL.key / RESULT_FILE
    target.parent.mkdir()
    target.write_text(path.read_text())
    assert "belongs to another cell" in read_result(CELL, tmp_path).reason


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", ["history", "final"])
def test_a_number_that_is_not_finite_is_a_status_of_its_own(tmp_path, value, place):
    bad = {"history": {"loss": [0.5, value]}} if place == "history" else {"final": {"loss": value}}
    path = write_result(ok(**bad), tmp_path)
    json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    found = read_result(CELL, tmp_path)
    assert found.status is Status.DIVERGED
    assert found.comparable
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


FIELDS = [
    *(("", name) for name in ok().to_json()),
    *(("cell", name) for name in CELL.to_json()),
    *(("outcome", name) for name in OUTCOME),
]
WRONG = [
    None,
    True,
    -1,
    1.5,
    10**400,
    "text",
    "\ud800",
    [],
    [[]],
    [None, "x"],
    {},
    {"a": {}},
    {"a": ["b"]},
]


@pytest.mark.parametrize(("place", "name"), FIELDS)
def test_a_field_of_any_wrong_type_never_counts_and_never_raises(tmp_path, place, name):
    path = write_result(ok(), tmp_path)
    sound = json.loads(path.read_text())
    inside = sound[place] if place else sound
    kept = inside.pop(name)
    path.write_text(json.dumps(sound))
    assert not read_result(CELL, tmp_path).ok, f"{place}.{name} may be left out"
    for value in WRONG:
        inside[name] = value
        path.write_text(json.dumps(sound))
        found = read_result(CELL, tmp_path)
        # A value of the right type may stand there by chance; of the rest none may pass.
        numbers = name == "seconds" and isinstance(value, float)
        right = type(value) is type(kept) or numbers or (value is None and name in MAY_BE_NONE)
        if not right:
            assert not found.ok, f"{place}.{name} = {value!r} passed"


MAY_BE_NONE = (
    "seconds",
    "peak_memory_bytes",
    "device_peak_memory_bytes",
    "compile_seconds",
    "epochs",
)


def test_every_flipped_bit_is_found(tmp_path):
    path = write_result(ok(), tmp_path)
    whole = path.read_bytes()
    for place in range(0, len(whole) * 8, 7):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        found = read_result(CELL, tmp_path)
        # White space may change into other white space, which changes nothing.
        assert not found.ok or found == ok(), f"bit {place}"


def test_more_values_than_epochs_contradict(tmp_path):
    cell = Cell(experiment="study", variant="plain", backend="jax", epochs=1)
    write_result(ok(cell, history={"loss": [0.5, 0.4]}), tmp_path)
    assert "2 values for 1 epochs" in read_result(cell, tmp_path).reason


def test_ok_without_an_outcome_contradicts(tmp_path):
    write_result(CellResult(CELL, Status.OK), tmp_path)
    assert "it holds no outcome" in read_result(CELL, tmp_path).reason


@pytest.mark.parametrize(
    ("history", "samples"),
    [
        ({"loss": [0.5], "val_loss": [0.0]}, {"train": 8, "validation": 0}),
        ({"loss": [0.5]}, {"train": 8, "test": 0}),
    ],
)
def test_what_was_measured_on_no_samples_is_invalid(tmp_path, history, samples):
    final = {"test_loss": 0.0} if "test" in samples else {}
    write_result(ok(history=history, samples=samples, final=final), tmp_path)
    found = read_result(CELL, tmp_path)
    assert found.status is Status.INVALID
    assert "was measured on no samples" in found.reason


def test_an_endless_name_is_cut_and_still_different():
    names = [Cell(experiment="study", variant="v" * 400 + end, backend="jax").key for end in "ab"]
    assert len(set(names)) == 2
    assert all(len(name) < 200 for name in names)
