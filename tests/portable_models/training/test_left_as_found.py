"""Whatever way a training ends, what it changed for its time is as it was."""

import gc
import sys
import threading

import keras
import numpy as np
import pytest
from keras.src import backend as keras_backend

import portable_models
from portable_models._backend import current
from portable_models._keras.operations import get_operations
from portable_models.training.engines import keras_engine
from portable_models.training.programs import group

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def compiled_model(**settings):
    with portable_models.portable_random(0):
        model = keras.Sequential(
            [keras.layers.Input((3,)), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
        )
    optimizer = keras.optimizers.SGD(0.01, **settings)
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def state(model):
    """Everything outside the model's variables that a training has its hands on."""
    modules = {
        "random": keras_backend.random,
        "core": get_operations("core"),
        "image": get_operations("image"),
    }
    functions = {
        f"{name}.{each}": value
        for name, module in modules.items()
        for each, value in vars(module).items()
        if callable(value)
    }
    return {
        "functions": functions,
        "orthogonal": keras.initializers.Orthogonal.__call__,
        "optimizer": sorted(vars(model.optimizer)),
        "finalize": model.optimizer.finalize_variable_values.__func__,
        "model": sorted(set(vars(model)) - {"history", "_eval_epoch_iterator", "_jax_state"}),
        "layers": [sorted(vars(layer)) for layer in model.layers],
        "collector": (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()),
        "imports": list(sys.meta_path),
        "threads": current().threads() if hasattr(current(), "threads") else None,
    }


class Raising(keras.callbacks.Callback):
    """Ends a training at a hook."""

    def __init__(self, hook, error):
        super().__init__()

        def raise_it(*_, **__):
            raise error

        setattr(self, hook, raise_it)


@pytest.mark.parametrize(
    "error", [ValueError("planned"), KeyboardInterrupt()], ids=["error", "interrupt"]
)
@pytest.mark.parametrize(
    "hook",
    ["on_train_begin", "on_epoch_begin", "on_train_batch_end", "on_test_begin", "on_epoch_end"],
)
def test_a_callback_that_raises_leaves_everything_as_it_was(hook, error, recwarn):
    model = compiled_model()
    # The first training makes what stays: Keras's functions of the model, and its marks of an evaluation.
    portable_models.fit(model, X, Y, validation_data=(X, Y), epochs=1, verbose=0, engine="keras")
    before = state(model)
    with pytest.raises(type(error)):
        portable_models.fit(
            model,
            X,
            Y,
            epochs=2,
            validation_data=(X, Y),
            callbacks=[Raising(hook, error)],
            verbose=0,
        )
    assert state(model) == before


@pytest.mark.parametrize("where", ["_one_epoch", "_advance"])
def test_a_compiled_training_that_breaks_leaves_everything_as_it_was(where, monkeypatch):
    model = compiled_model()
    portable_models.fit(model, X, Y, epochs=1, verbose=0)
    before = state(model)

    def breaks(*_):
        raise OSError("planned")

    monkeypatch.setattr(group.Group, where, breaks)
    with pytest.raises(OSError, match="planned"):
        portable_models.fit(model, X, Y, epochs=2, callbacks=[keras.callbacks.History()], verbose=0)
    assert state(model) == before


def test_a_study_that_breaks_on_model_fit_leaves_the_optimizer_as_it_was(monkeypatch):
    model = compiled_model(use_ema=True)
    portable_models.fit(model, X, Y, epochs=1, verbose=0, engine="keras")
    before = state(model)

    def breaks(*_, **__):
        raise OSError("planned")

    monkeypatch.setattr(model, "fit", breaks)
    with pytest.raises(OSError, match="planned"):
        portable_models.fit(model, X, Y, epochs=2, pipeline="numpy", engine="keras", verbose=0)
    monkeypatch.undo()
    assert state(model) == before


def test_a_defect_of_the_library_is_not_swallowed_as_not_compiled(monkeypatch):
    def defect(*_):
        raise ZeroDivisionError("planned")

    monkeypatch.setattr("portable_models.training.programs.grouping.first_dense", defect)
    monkeypatch.setattr("portable_models.training.engines.compiled_engine.grouped", defect)
    with pytest.raises(ZeroDivisionError, match="planned"):
        portable_models.fit(compiled_model(), X, Y, verbose=0)


def test_two_threads_train_one_after_the_other_to_the_numbers_of_one():
    alone = portable_models.fit(compiled_model(), X, Y, epochs=3, verbose=0).history["loss"]
    found = {}

    def train(number):
        history = portable_models.fit(compiled_model(), X, Y, epochs=3, verbose=0)
        found[number] = history.history["loss"]

    before = state(compiled_model())["functions"]
    threads = [threading.Thread(target=train, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {0: alone, 1: alone}
    assert state(compiled_model())["functions"] == before


def test_the_epochs_of_a_study_are_finalized_once(monkeypatch):
    model, calls = compiled_model(use_ema=True), []
    original = type(model.optimizer).finalize_variable_values
    monkeypatch.setattr(
        type(model.optimizer),
        "finalize_variable_values",
        lambda self, weights: calls.append(1) or original(self, weights),
    )
    portable_models.fit(model, X, Y, epochs=3, pipeline="numpy", engine="keras", verbose=0)
    assert calls == [1]
    assert keras_engine.KerasEngine.name == "keras"
