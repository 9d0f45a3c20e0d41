"""On PyTorch, a traced step goes without copies that nobody would miss, and keeps those that one would."""

import keras
import numpy as np
import pytest

from portable_models import Recipe, portable_random
from portable_models._backend import current

if current().name != "torch":
    pytest.skip("graphs of tensor operations are PyTorch's", allow_module_level=True)

from portable_models._backend.torch_program import torch
from portable_models._backend.torch_step import StepGraph

from .study import fit

COPIES = ("clone", "detach", "lift_fresh_copy")


class Case:
    """A step over variables, traced, and the values that it is given."""

    def __init__(self, step, *values):
        self.variables = [keras.Variable(value, dtype="float32") for value in values]
        self.given = [variable.value.detach() for variable in self.variables]
        with torch.no_grad():
            self.graph = StepGraph(
                lambda extras: step(*self.variables, *extras),
                self.variables,
                [],
                self.given,
                [torch.full((2,), 3.0)],
                pure=False,
            )

    @property
    def copies(self):
        names = [
            node.target.overloadpacket.__name__
            for node in self.graph._module.graph.nodes
            if hasattr(node.target, "overloadpacket")
        ]
        return [name for name in names if name in COPIES]

    def steps(self, count=2):
        """What is there after some steps."""
        with torch.no_grad():
            state = self.graph.own(self.given)
            for _ in range(count):
                state = self.graph(state, [torch.full((2,), 3.0)])
        return [value.tolist() for value in state]


def test_a_step_works_in_place_on_a_state_of_its_own():
    def step(total, kept, batch):
        total.value.add_(batch)

    case = Case(step, np.ones(2), np.zeros(1))
    assert case.copies == []
    assert case.steps() == [[7.0, 7.0], [0.0]]
    assert [value.tolist() for value in case.given] == [[1.0, 1.0], [0.0]]


def test_states_that_come_out_as_one_tensor_are_kept_apart():
    """The next step would change both, by changing one."""

    def step(weight, average, seen, batch):
        average.value.add_(1.0)
        weight.value.add_(batch)
        seen.assign(average.value * 1.0)
        average.assign(weight.value)

    case = Case(step, np.zeros(2), np.zeros(2), np.zeros(2))
    assert "clone" in case.copies
    assert case.steps() == [[6.0, 6.0], [6.0, 6.0], [4.0, 4.0]]


def test_a_state_that_is_a_view_of_another_is_kept_apart():
    def step(weight, view, batch):
        weight.value.add_(batch)
        view.assign(weight.value[:1])

    case = Case(step, np.zeros(2), np.zeros(1))
    assert "clone" in case.copies
    assert case.steps(3) == [[9.0, 9.0], [9.0]]


def test_a_state_that_is_the_batch_is_kept_apart():
    def step(last, batch):
        last.assign(batch)

    case = Case(step, np.zeros(2))
    assert case.graph.own(case.given) is case.given
    assert case.steps() == [[3.0, 3.0]]


def test_results_of_one_operation_are_memory_of_their_own():
    def step(first, second, batch):
        for variable, value in zip(
            (first, second), torch._foreach_add([batch, batch], 1.0), strict=True
        ):
            variable.assign(value)

    case = Case(step, np.zeros(2), np.zeros(2))
    assert case.copies == []
    assert case.steps() == [[4.0, 4.0], [4.0, 4.0]]


@pytest.mark.parametrize(("changed", "expected"), [(False, 8.0), (True, 10.0)])
def test_a_constant_that_is_changed_is_copied_at_every_step(changed, expected):
    def step(total, batch):
        constant = torch.tensor(1.0)
        if changed:
            constant.add_(1.0)
        total.value.add_(batch + constant)

    case = Case(step, np.zeros(2))
    assert ("lift_fresh_copy" in case.copies) == changed
    assert case.steps() == [[expected, expected]]


def test_a_constant_that_becomes_a_state_is_not_changed_with_it():
    def step(total, seen, batch):
        seen.assign(total.value * 1.0)
        total.value.add_(batch)
        total.assign(torch.tensor([1.0, 1.0]))

    case = Case(step, np.zeros(2), np.zeros(2))
    assert case.copies == ["lift_fresh_copy"]
    assert case.steps(4) == [[1.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    "optimizer",
    ["sgd", "rmsprop", "adam", "adamw", "adamax", "adagrad", "adadelta", "ftrl", "lion"],
)
def test_steps_of_the_usual_optimizers_copy_no_state(optimizer, monkeypatch):
    in_place = []
    own = StepGraph.own
    monkeypatch.setattr(
        StepGraph, "own", lambda graph, state: in_place.append(graph._in_place) or own(graph, state)
    )
    with portable_random(0):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(1)])
    x = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
    training = fit(model, (x, x[:, 0]), Recipe(optimizer=optimizer, loss="mse", batch_size=4))
    assert training.engine == "compiled"
    assert in_place
    assert all(in_place)
