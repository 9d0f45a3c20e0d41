"""A program is made in one way for few steps and in another for many; both are tried, whatever the size."""

import importlib

import keras
import pytest

BACKEND = keras.backend.backend()
WAYS = {
    # Every step is called by itself.
    "jax": [{}, {"SLOW_IN_LOOPS": ("add",)}],
    # Through XLA; every step traced. The loop in C++ on PyTorch has test_compiled_loop.py.
    "tensorflow": [{}, {"PAYS_FROM": 0}],
    "torch": [{}, {"TRACED_FROM": 0}],
}


@pytest.fixture(params=WAYS[BACKEND], ids=lambda way: "many steps" if way else "few steps")
def any_number_of_steps(request, monkeypatch):
    """Programs are made as for few steps, and as for many."""
    module = importlib.import_module(f"portable_models._backend.{BACKEND}_program")
    for name, value in request.param.items():
        assert getattr(module, name) > value
        monkeypatch.setattr(module, name, value)


@pytest.fixture(autouse=True)
def compiled_from_the_first_step(monkeypatch):
    """The trainings of these tests are too short for a program to pay on PyTorch; it is what they test."""
    if BACKEND == "torch":
        monkeypatch.setattr("portable_models._backend.torch.WORTH_FROM", 0)
