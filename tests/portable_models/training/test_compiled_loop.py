"""On PyTorch, steps that are many enough are one loop in C++; made to be so for few, to be tried."""

import keras
import numpy as np
import pytest

from portable_models import Recipe, portable_random
from portable_models._backend import current

if current().name != "torch":
    pytest.skip("one engine compiles everything there", allow_module_level=True)

from portable_models._backend import torch_program

from .study import fit

SCHEDULE = keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=5, decay_rate=0.7)


def build():
    """Seeded layers, statistics, penalties: everything that a loop has to carry."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(7, "relu", kernel_regularizer="l2", activity_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.4),
            layers.Dense(1, "sigmoid"),
        ]
    )


def train(engine):
    optimizer = keras.optimizers.Adam(
        SCHEDULE, global_clipnorm=0.5, use_ema=True, gradient_accumulation_steps=2
    )
    recipe = Recipe(
        optimizer=keras.optimizers.serialize(optimizer),
        loss="binary_crossentropy",
        metrics=("accuracy", "AUC"),
        epochs=2,
        batch_size=4,
        class_weight={0: 1.0, 1: 3.0},
    )
    rng = np.random.default_rng(3)
    x = rng.normal(size=(50, 6)).astype("float32")
    rows = x, (x[:, 0] > 0).astype("float32")
    with portable_random(1):
        model = build()
    found = fit(model, rows, recipe, validation=(x[:9], rows[1][:9]), engine=engine, prove=False)
    assert (found.engine, found.engine_reason) == (engine, "")
    return model, found.history


def test_the_loop_trains_as_model_fit_does(monkeypatch):
    compiled = []
    original = torch_program.compiled_loop

    def counted(*arguments):
        compiled.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(torch_program, "PAYS_FROM", 0)
    monkeypatch.setattr(torch_program, "compiled_loop", counted)
    (one, theirs), (other, ours) = train("keras"), train("compiled")
    assert len(compiled) == 1  # the steps of training; those of validation are few
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        # Adam divides by the root of a mean square that is small at the start; see test_engines.
        np.testing.assert_allclose(ours[name], values, rtol=2e-5, err_msg=name)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(b, a, rtol=2e-5, atol=2e-5)
