"""Verdicts on single steps, on made-up results: no backend runs here."""

import json

import numpy as np
import pytest

from backends_matrix.judge.comparison import Agreement
from backends_matrix.judge.explanation import explain, kind_of
from backends_matrix.judge.steps import JUDGE, judge_steps
from backends_matrix.run.cell import Cell

CELL = Cell(experiment="study", variant="plain", backend="jax")
EXACT = {
    "outputs/0": np.array([0.25, 0.5]),
    "loss/0": np.array(0.7),
    "gradient/0": np.array([1.0, -2.0]),
    "gradient/1": np.array([1e-3]),
    "update/0": np.array([0.3, 0.4]),
    "update/1": np.array([0.1]),
    "metric/mae": np.array(0.2),
}


@pytest.fixture
def judged(tmp_path):
    """Give a function that judges results of backends which differ from float64 as it is told."""

    def judge(changes, move=1e-8, exact=None, **precision):
        names = {"gradient": ["dense/kernel", "dense/bias"]}
        if precision:
            names["precision"] = {"compute": "float32", "variables": "float32", **precision}
        (tmp_path / "names.json").write_text(json.dumps(names))
        np.savez(tmp_path / "state-000.npz", place=np.array([10, 2]))
        moves = {f"move/{key}": np.array(move) for key in EXACT}
        for name in (JUDGE, *changes):
            (tmp_path / name).mkdir(exist_ok=True)
        np.savez(tmp_path / JUDGE / "state-000.npz", **{**EXACT, **(exact or {})}, **moves)
        for backend, change in changes.items():
            results = {key: array.astype(np.float32) for key, array in EXACT.items()} | change
            np.savez(tmp_path / backend / "state-000.npz", **results)
        return judge_steps(tmp_path, CELL, list(changes))

    return judge


def differing(comparisons):
    return [
        (each.backend, each.quantity) for each in comparisons if each.verdict is Agreement.DIFFERS
    ]


def test_rounding_agrees(judged):
    found = judged({"jax": {}, "torch": {}})
    assert differing(found) == []
    # Statistics are not among the results, so they are not compared.
    assert [each.quantity for each in found if each.backend == "torch"] == [
        "outputs",
        "loss",
        "gradient",
        "update",
        "metric",
    ]
    assert {(each.level, each.reference, each.step, each.epoch) for each in found} == {
        (1, "float64", 10, 2)
    }


def test_a_difference_names_the_variable_that_is_worst(judged):
    found = judged({"jax": {}, "torch": {"gradient/1": np.array([2e-3], np.float32)}})
    assert differing(found) == [("torch", "gradient of dense/bias")]


def test_both_of_two_are_found_where_they_agree_on_what_is_wrong(judged):
    wrong = {"gradient/0": np.array([1.0, -2.1], np.float32)}
    found = judged({"jax": {}, "tensorflow": wrong, "torch": wrong})
    assert [backend for backend, _ in differing(found)] == ["tensorflow", "torch"]


def test_where_the_step_is_ill_conditioned_more_is_allowed(judged):
    off = {"torch": {"loss/0": np.array(0.7001)}, "jax": {}}
    assert differing(judged(off)) == [("torch", "loss")]
    found = judged(off, move=2e-5)
    assert differing(found) == []
    assert next(each for each in found if each.quantity == "loss").why.startswith(
        "8 x what one unit in the last place moves float64"
    )


@pytest.mark.parametrize(
    ("precision", "rounded"),
    [
        ({}, {}),
        (
            {"compute": "bfloat16"},
            dict.fromkeys(("outputs", "loss", "gradient"), ("bfloat16", 2.0**-7)),
        ),
        (
            {"compute": "float16", "variables": "float16"},
            dict.fromkeys(("outputs", "loss", "gradient", "update"), ("float16", 2.0**-10)),
        ),
    ],
)
def test_the_tolerance_is_that_of_the_type_that_is_computed_in(judged, precision, rounded):
    found = {
        each.quantity: (each.why, each.tolerance)
        for each in judged({"jax": {}, "torch": {}}, **precision)
        if each.backend == "torch"
    }
    # The metric is 0.2, but is computed from outputs of 0.5.
    largest = {"outputs": 0.5, "loss": 0.7, "gradient": 2.0, "update": 0.4, "metric": 0.5}
    assert set(found) == set(largest)
    for quantity, (why, tolerance) in found.items():
        name, unit = rounded.get(quantity, ("float32", 2.0**-23))
        assert why.startswith(f"16 units of {name} rounding")
        assert tolerance == pytest.approx(16 * unit * largest[quantity])


@pytest.mark.parametrize(
    "wrong", [np.array([np.nan, 1.0]), np.array([0.25]), np.array([0.25, np.inf])]
)
def test_no_number_and_no_result_are_differences(judged, wrong):
    found = judged({"jax": {}, "torch": {"outputs/0": wrong}})
    assert differing(found) == [("torch", "outputs")]


def test_no_number_at_the_same_place_everywhere_is_no_difference(judged):
    lost = {"gradient/0": np.array([np.nan, 1.0])}
    assert not differing(judged({"jax": lost, "torch": lost}, exact=lost))


def test_what_overflows_on_every_backend_is_no_difference_of_backends(judged):
    """float64 holds larger numbers than any backend does."""
    lost = {"gradient/0": np.array([np.inf, -2.0], np.float32)}
    exact = {"gradient/0": np.array([1e200, -2.0])}
    assert not differing(judged({"jax": lost, "torch": lost}, exact=exact))
    found = judged({"jax": lost, "torch": {}}, exact=exact)
    assert ("jax", "gradient of dense/kernel") in differing(found)


def test_a_backend_without_results_differs_in_everything(judged, tmp_path):
    judged({"jax": {}})
    found = judge_steps(tmp_path, CELL, ["jax", "torch"])
    assert {backend for backend, _ in differing(found)} == {"torch"}
    assert len(differing(found)) == 5


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"outputs/0": np.array([0.3, 0.5]), "loss/0": np.array(0.9)}, "forward"),
        ({"loss/0": np.array(0.9), "gradient/0": np.array([1.5, -2.0])}, "loss"),
        ({"gradient/0": np.array([1.5, -2.0])}, "gradient"),
        ({"update/1": np.array([0.2])}, "optimizer"),
        ({"metric/mae": np.array(0.3)}, "metric"),
    ],
)
def test_the_first_thing_that_differs_names_the_kind(judged, change, kind):
    rows = judged({"jax": {}, "torch": change})
    (found,) = explain(rows)
    first = next(each for each in rows if each.verdict is Agreement.DIFFERS)
    assert kind_of(first, [found]) == kind
    assert (found.backend, found.kind, found.epoch, found.step) == ("torch", kind, 2, 10)


def test_nothing_is_explained_where_all_agree(judged):
    assert explain(judged({"jax": {}, "torch": {}})) == []


def test_a_loss_near_zero_is_judged_by_the_terms_that_it_is_summed_from(tmp_path):
    """The logarithm of a probability of 1 - 1e-7 carries the rounding error of 1, which is 6e-8."""
    exact = {"outputs/0": np.array([1.0 - 1e-7]), "loss/0": np.array(1e-7)}
    (tmp_path / "names.json").write_text("{}")
    np.savez(tmp_path / "state-000.npz", place=np.array([10, 2]))
    found = {}
    for name, loss in {JUDGE: 1e-7, "jax": 1.19e-7, "torch": 1e-4, "x": 1e-7}.items():
        (tmp_path / name).mkdir()
        moves = {f"move/{key}": np.array(1e-14) for key in exact} if name == JUDGE else {}
        np.savez(tmp_path / name / "state-000.npz", **{**exact, "loss/0": np.array(loss)}, **moves)
    found = {
        each.backend: each
        for each in judge_steps(tmp_path, CELL, ["jax", "torch", "x"])
        if each.quantity == "loss"
    }
    assert found["jax"].verdict is Agreement.UNDECIDABLE
    assert found["torch"].verdict is Agreement.DIFFERS
    assert found["jax"].tolerance == pytest.approx(16 * 2.0**-23)
