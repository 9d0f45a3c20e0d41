"""Compile what is too short to be worth it, so that short programs prove the compiled engine."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import keras

BACKEND = keras.backend.backend()

WAYS: dict[str, dict[str, dict[str, int]]] = {
    "jax": {"as it is": {}},
    # Short trainings are run by TensorFlow's graph, long ones go through XLA.
    "tensorflow": {"as it is": {}, "xla": {"tensorflow_program.PAYS_FROM": 0}},
    # Short trainings run on Model.fit; longer ones step by step, then as a traced graph.
    "torch": {
        "as it is": {},
        "steps": {"torch.WORTH_FROM": 0},
        "traced": {"torch.WORTH_FROM": 0, "torch_program.TRACED_FROM": 0},
    },
}
"""Backend -> name -> from which number of steps the library does what it does for long trainings."""

OF_THIS_BACKEND = WAYS[BACKEND]


@contextmanager
def forced(way: str) -> Iterator[None]:
    """Inside, trainings are compiled as ``way`` says, however short they are.

    Raises:
        AttributeError: the library has no such threshold any more.
    """
    patches = []
    for path, value in OF_THIS_BACKEND[way].items():
        module, name = path.split(".")
        owner = importlib.import_module(f"portable_models._backend.{module}")
        patches.append(mock.patch.object(owner, name, value))
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()
