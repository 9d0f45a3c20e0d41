"""What decides: sharp comparisons of outputs; gradients only where they were asked for; the compute dtype."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from portable_models.export.comparison import DECISIVE, RELATIVE, compare, flat_tolerance
from portable_models.export.errors import ExportError
from portable_models.export.judging import judge
from portable_models.export.orders import Order, Reference
from portable_models.export.routes import ROUTES
from portable_models.export.sample import by_input, read_sample
from portable_models.export.signature import Signature, Tensor

INPUT = Tensor("x", (None, 2), "float32")
SIGNATURE = Signature((INPUT,), (replace(INPUT, name="y"),)).to_dict()
ONES = np.ones((3, 2), np.float32)


def judged(
    tmp_path, target="saved_model", *, floor=0.0, factor=1.0, gradient=1.0, dtype="float32", **order
):
    source, ran = tmp_path / "source.npz", tmp_path / "ran.npz"
    np.savez(
        source,
        **{"0/out/0": ONES, "0/floor/0": floor, "gradient/0": ONES, "gradient_floor/0": 0.0},
    )
    np.savez(
        ran, **{"0/out/0": ONES * np.float32(factor), "gradient/0": ONES * np.float32(gradient)}
    )
    (tmp_path / "artifact").write_text("an artifact")
    answer = {
        "status": "done",
        "signature": SIGNATURE,
        "probes": [{"name": "random", "batch": 3}],
        "random": {},
        "left_out": [],
        "precision": dtype,
        "trainable": ["kernel"],
        "latency_s": 0.0,
        "versions": {},
    }
    writing = {"status": "done", "signature": order.pop("written", SIGNATURE), "versions": {}}
    return judge(
        Order(Path("model.keras"), target, tmp_path / "out", **order),
        ROUTES[target].ways[0],
        Reference("jax", "asked for"),
        measured=(source, answer),
        measuring=None,
        writing=writing,
        running={"status": "done", "versions": {}, "settings": {}, "latency_s": 0.0},
        ran=ran,
        staged=tmp_path / "artifact",
    )


def test_a_gradient_that_nobody_asked_for_is_reported_and_removes_nothing(tmp_path):
    result = judged(tmp_path, gradient=1.0001)
    assert result.status == "verified"
    (check,) = [check for check in result.checks if check.name == "gradient of kernel"]
    assert not check.passed
    assert not check.decides


@pytest.mark.parametrize(
    ("target", "order"), [("saved_model", {"trainable": True}), ("jax", {}), ("torch-module", {})]
)
def test_gradients_decide_where_training_goes_on(tmp_path, target, order):
    assert judged(tmp_path, target, gradient=1.0001, **order).status == "different"
    assert judged(tmp_path, target, **order).status == "verified"


def test_a_floor_that_hides_faults_is_no_proof(tmp_path):
    result = judged(tmp_path, floor=DECISIVE * RELATIVE, factor=1.0001)
    assert (result.status, result.exit_code) == ("failed", 3)
    assert "nothing can be decided of the output 'y'" in result.reason
    assert "--sample" in result.reason


def test_an_input_taken_for_another_dtype_is_never_verified(tmp_path):
    other = Signature((replace(INPUT, dtype="int32"),), (replace(INPUT, name="y"),)).to_dict()
    result = judged(tmp_path, written=other)
    assert result.status == "different"
    assert "the source model takes float32, the artifact int32" in result.reason


@pytest.mark.parametrize(("dtype", "unit"), [("float16", 2.0**-10), ("bfloat16", 2.0**-7)])
def test_half_precision_is_held_to_its_own_units(tmp_path, dtype, unit):
    assert flat_tolerance(dtype) == 8 * unit
    check = compare("y", 3, ONES * (1 + 7 * unit), ONES, 1.0, 0.0, dtype)
    assert check.passed
    assert f"8 units in the last place of {dtype}" in check.reason
    assert not compare("y", 3, ONES * (1 + 9 * unit), ONES, 1.0, 0.0, dtype).passed
    assert judged(tmp_path, dtype=dtype, factor=1 + 7 * unit).status == "verified"


BOTH = Signature((INPUT, Tensor("ids", (None, None), "int32")), ())
ARRAYS = {"x": np.ones((4, 2)), "ids": np.ones((4, 7), int)}


@pytest.mark.parametrize(
    "renamed",
    [{"x": "x", "ids": "ids"}, {"x": "x/x", "ids": "x/ids"}, {"x": "x0", "ids": "x1"}],
)
def test_arrays_of_a_sample_are_found_by_name_or_number(tmp_path, renamed):
    np.savez(tmp_path / "s.npz", y=np.ones(4), **{renamed[k]: v for k, v in ARRAYS.items()})
    found = by_input(read_sample(tmp_path / "s.npz"), BOTH, typed=True)
    assert {name: value.shape for name, value in found.items()} == {"x": (4, 2), "ids": (4, 7)}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": ARRAYS["x"]}, r"no array for the input 'ids'; it holds x"),
        ({**ARRAYS, "x": np.ones((4, 3))}, r"'x' has the shape \[4, 3\].* takes \['rows', 2\]"),
        ({**ARRAYS, "x": np.ones((5, 2))}, "same number of rows, got x: 5, ids: 4"),
    ],
)
def test_a_sample_that_does_not_fit_says_what_was_expected(arrays, message):
    with pytest.raises(ExportError, match=message):
        by_input(arrays, BOTH, typed=True)


@pytest.mark.parametrize(
    ("ids", "held"),
    [(np.full((4, 7), 3.0), True), (np.full((4, 7), 0.5), False), (np.full((4, 7), 2**40), False)],
)
def test_values_that_the_inputs_dtype_cannot_hold_are_refused(ids, held):
    arrays = {**ARRAYS, "ids": ids}
    # Where the dtype was only guessed, it decides nothing.
    assert by_input(arrays, BOTH, typed=False)["ids"] is ids
    if held:
        assert by_input(arrays, BOTH, typed=True)["ids"] is ids
        return
    with pytest.raises(ExportError, match="'ids' of dtype int32 cannot hold"):
        by_input(arrays, BOTH, typed=True)


def test_outputs_that_are_only_zeros_decide_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ONES", ONES * 0)
    result = judged(tmp_path)
    assert (result.status, result.exit_code) == ("failed", 3)
    assert "the source model gives zeros for all inputs" in result.reason


def test_a_sample_that_is_no_file_of_arrays_is_named(tmp_path):
    (tmp_path / "s.npz").write_text("no")
    with pytest.raises(ExportError, match=r"s\.npz: expected an \.npz file of plain arrays"):
        read_sample(tmp_path / "s.npz")
    with pytest.raises(ExportError, match="there is no such file"):
        read_sample(tmp_path / "none.npz")
