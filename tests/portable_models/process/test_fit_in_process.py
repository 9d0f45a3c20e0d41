"""A training in every kind of process that people start, and what it leaves there."""

import inspect

import keras
import numpy as np
import pytest

import portable_models
from portable_models._keras.operations import get_operations

from . import process_ways as ways
from . import process_work as work
from . import test_import

pytestmark = pytest.mark.skipif(
    "x" not in inspect.signature(portable_models.fit).parameters,
    reason="waits for portable_models.fit(model, x, y, epochs=1, seed=0) on a compiled model",
)


@pytest.mark.parametrize("way", ways.WAYS, ids=lambda way: way.__name__)
def test_a_training_gives_the_same_losses(way, tmp_path):
    # The same program on the same machine, so the same numbers.
    assert way("train", tmp_path) == work.train()


def test_a_training_leaves_the_process_as_keras_does():
    """``fit`` changes no more of other people's modules and of the process than ``Model.fit``."""
    program = (
        f"{ways.HEAD.strip()}; import process_work as work; portable = work.portable_models; "
        "model = work.build(); model.compile('sgd', 'mse'); "
        "x = work.np.ones((8, 4), 'float32'); "
    )
    keras_fit = test_import.changes(program + "model.fit(x, x[:, :1], verbose=0)")
    ours = test_import.changes(program + "portable.fit(model, x, x[:, :1], epochs=1, seed=0)")
    allowed = {name for name in ours["modules"] if name.startswith(("torch.", "jax.", "jaxlib."))}
    assert set(ours["modules"]) - allowed <= set(keras_fit["modules"])
    assert set(ours["process"]) <= set(keras_fit["process"]) | {"threads"}
    for name in ("meta_path", "gc", "warnings", "environment"):
        assert ours["process"].get(name) == keras_fit["process"].get(name), name


def test_a_training_leaves_keras_as_it_was():
    model = work.build()
    model.compile("sgd", "mse")
    x = np.ones((8, 4), "float32")
    model.fit(x, x[:, :1], verbose=0)
    modules = [
        keras.src.backend.random,
        get_operations("image"),
        keras.src.random.seed_generator,
        keras.src.models.model,
        keras.optimizers.Optimizer,
        keras.optimizers.SGD,
        keras.Model,
        keras.Layer,
    ]
    before = [dict(vars(each)) for each in modules]
    portable_models.fit(model, x, x[:, :1], epochs=1, seed=0)
    assert [dict(vars(each)) for each in modules] == before
