"""What the compiled engine does not take: it runs on ``Model.fit``, and the result says why."""

import keras
import numpy as np
import pytest

from portable_models import Recipe
from portable_models._backend.program import NotCompilableError
from portable_models.training.programs import grouping as groups

from .study import fit

ROWS, BATCH = 53, 8


def data():
    x = np.random.default_rng(3).normal(size=(ROWS, 6)).astype("float32")
    return x, x[:, 0]


def dense():
    return keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(7, "relu"), keras.layers.Dense(1)]
    )


class Counting(keras.callbacks.Callback):
    """Counts batches."""

    def on_train_batch_end(self, batch, logs=None):
        pass


@pytest.mark.parametrize(
    ("settings", "more", "reason"),
    [
        ({"callbacks": (Counting,)}, {}, "callback Counting may change anything at any batch"),
        ({}, {"pipeline": "PyDataset"}, "pipeline PyDataset hands over one batch at a time"),
    ],
)
def test_what_cannot_be_compiled_runs_on_model_fit_and_says_why(settings, more, reason):
    recipe = Recipe(loss="mse", batch_size=BATCH, **settings)
    found = fit(dense(), data(), recipe, engine="compiled", **more)
    assert found.engine == "keras"
    assert reason in found.engine_reason


def test_a_layer_that_cannot_be_compiled_is_named():
    model = dense()
    model.layers[0].supports_jit = False
    found = fit(model, data(), Recipe(loss="mse", batch_size=BATCH), engine="compiled")
    assert found.engine == "keras"
    assert (
        f"the layer {model.layers[0].name} says that it cannot be compiled" in found.engine_reason
    )


def test_what_cannot_be_traced_runs_on_model_fit(monkeypatch):
    def refuse(group):
        raise NotCompilableError("no such operation")

    monkeypatch.setattr(groups.Group, "prepare", refuse)
    found = fit(dense(), data(), Recipe(loss="mse", batch_size=BATCH))
    assert found.engine == "keras"
    assert found.engine_reason == "not compiled: no such operation"
    assert found.digests["batches"]


def test_a_mistake_of_the_users_is_told_by_keras():
    """Both engines fail on it, and the second in the words that a user of Keras knows."""
    x, y = data()
    with pytest.raises(ValueError, match="incompatible with the layer"):
        fit(dense(), (x[:, :5], y), Recipe(loss="mse", batch_size=BATCH))
