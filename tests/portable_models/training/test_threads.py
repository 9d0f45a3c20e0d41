"""On PyTorch, how many threads compute a step follows from how much the step has to do."""

import keras
import numpy as np
import pytest

from portable_models import Recipe, portable_random
from portable_models._backend import current

if current().name != "torch":
    pytest.skip("only PyTorch's threads can be set while it runs", allow_module_level=True)

from portable_models._backend import torch_graph, torch_program, torch_step

from .study import fit

SMALL, LARGE = 8, 400


@pytest.fixture
def two_threads():
    before = torch_step.torch.get_num_threads()
    torch_step.torch.set_num_threads(2)
    yield
    torch_step.torch.set_num_threads(before)


def train(width, **changes):
    with portable_random(0):
        layers = [
            keras.layers.Dense(width, "relu"),
            keras.layers.Dense(width),
            keras.layers.Dense(1),
        ]
        model = keras.Sequential([keras.Input((width,)), *layers])
    x = np.random.default_rng(0).normal(size=(40, width)).astype("float32")
    recipe = Recipe(optimizer="rmsprop", loss="mse", epochs=2, batch_size=20)
    return fit(model, (x, x.mean(axis=1)), recipe, prove=False, **changes)


@pytest.fixture
def seen(monkeypatch):
    """How many threads there are at each call of a step."""
    found = []
    original = torch_step.StepGraph.__call__

    def watched(graph, *given):
        found.append(torch_step.torch.get_num_threads())
        return original(graph, *given)

    monkeypatch.setattr(torch_step.StepGraph, "__call__", watched)
    return found


@pytest.mark.parametrize(("width", "threads"), [(SMALL, 1), (LARGE, 2)])
def test_small_steps_run_on_one_thread_and_large_ones_on_all(width, threads, two_threads, seen):
    assert train(width).engine == "compiled"
    assert set(seen) == {threads}
    assert torch_step.torch.get_num_threads() == 2


def test_the_number_of_threads_is_as_before_after_an_error(two_threads):
    def fail():
        assert torch_step.torch.get_num_threads() == 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        torch_program.on_one_thread(fail)
    assert torch_step.torch.get_num_threads() == 2


def test_a_loop_is_compiled_for_one_thread(two_threads, monkeypatch):
    asked = []
    original = torch_program.compiled_loop

    def watched(*given):
        asked.append(given[-1])
        return original(*given)

    monkeypatch.setattr(torch_program, "compiled_loop", watched)
    monkeypatch.setattr(torch_program, "PAYS_FROM", 0)
    looped = train(SMALL)
    assert looped.engine == "compiled"
    assert asked == [1]
    theirs = train(SMALL, engine="keras")
    np.testing.assert_allclose(looped.history["loss"], theirs.history["loss"], rtol=2e-6)


def test_work_is_elements_and_flops_of_an_operation():
    torch = torch_step.torch
    traced = torch_step.trace(lambda a, b: (a @ b + 1,), (torch.ones(16, 32), torch.ones(32, 8)))
    # A product of 2 * 16 * 32 * 8 flops and a sum, of 16 * 8 elements each.
    assert torch_graph.work_of(traced.graph) == (2 * 16 * 8 + 2 * 16 * 32 * 8 / 16) / 2
