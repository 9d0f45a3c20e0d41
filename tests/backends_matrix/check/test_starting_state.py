"""Arrays go from process to process in one order of variables, whatever order a backend has."""

from types import SimpleNamespace

import numpy as np
import pytest

from backends_matrix.check.members import Member, Stage
from backends_matrix.check.starting_state import starting_rows
from backends_matrix.check.worker.variable_order import VariableOrder


def variables(*paths):
    return [SimpleNamespace(path=path) for path in paths]


@pytest.mark.parametrize(
    ("reference", "own", "expected"),
    [
        (("a", "b", "c"), ("c", "a", "b"), ["a", "b", "c"]),
        # Some of them: a list of the trainable ones alone, for instance.
        (("a", "b", "c"), ("c", "a"), ["a", "c"]),
        # Variables of one path are matched in turn.
        (("a", "a", "c"), ("c", "a", "a"), ["a", "a", "c"]),
        # Paths that the reference does not have leave a process its own order.
        (("a", "b"), ("b", "d"), ["b", "d"]),
        ((), ("b", "a"), ["b", "a"]),
    ],
)
def test_variables_come_in_the_order_of_the_reference(reference, own, expected):
    found = VariableOrder(reference).sort(variables(*own))
    assert [each.path for each in found] == expected


class Found:
    """What a member left behind: weights by their paths, in an order of its own."""

    def __init__(self, **weights):
        self._weights = weights

    def stage(self, phase, name):
        if name != "weights":
            return Stage()
        arrays = {f"weights/{n}": np.array(v) for n, v in enumerate(self._weights.values())}
        names = list(self._weights)
        return Stage("ok", data={"names": names, "weights": names}, arrays=arrays)


def rows(mine):
    backends = {Member("jax"): Found(a=1.0, b=2.0), Member("torch"): mine}
    found = starting_rows(backends, [], Member("jax"))
    return {each.name: each for each in found if each.backend == "torch"}


def test_another_order_is_a_finding_and_no_other_weights():
    found = rows(Found(b=2.0, a=1.0))
    assert found["initial weights"].status == "pass"
    assert found["order of weights"].status == "fail"
    assert "get_weights gives b in place 0, where jax gives a" in found["order of weights"].cause


def test_other_weights_are_found_in_any_order():
    assert rows(Found(b=2.0, a=1.5))["initial weights"].status == "fail"
    same = rows(Found(a=1.0, b=2.0))
    assert {each.status for each in same.values()} == {"pass"}
