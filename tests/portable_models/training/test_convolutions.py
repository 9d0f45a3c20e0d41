"""Convolutions and pooling, which compilers treat otherwise than products of matrices."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from portable_models import Member, Recipe, fit_many
from portable_models._backend import current


def fit(model, samples, recipe, *, validation=None, **settings):
    """Not of study.py: a process of one of these tests imports this file by itself."""
    return fit_many([Member(model, samples, recipe, validation)], warn=False, **settings)[0]


X = np.random.default_rng(0).normal(size=(20, 6, 6, 1)).astype("float32")
Y = np.arange(20) % 2
RECIPE = Recipe(
    optimizer="sgd", loss="sparse_categorical_crossentropy", epochs=2, batch_size=4, shuffle=False
)


def build():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(3, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )


def test_both_engines_agree(any_number_of_steps):
    histories = []
    for engine in ("keras", "compiled"):
        keras.utils.set_random_seed(0)
        training = fit(build(), (X, Y), RECIPE, validation=(X[:7], Y[:7]), engine=engine)
        assert (training.engine, training.engine_reason) == (engine, "")
        histories.append(training.history)
    for name, values in histories[0].items():
        # Ten steps of float32, each rounded otherwise.
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-5)


@pytest.mark.skipif(current().name != "tensorflow", reason="XLA is JAX's only compiler")
def test_what_xla_lacks_is_compiled_without_it():
    """Max-pooling's derivative is missing in XLA while operations must be deterministic."""
    program = """
import keras, tensorflow as tf
from portable_models._backend import tensorflow_program
import test_convolutions as these
tf.config.experimental.enable_op_determinism()
tensorflow_program.PAYS_FROM = 0
keras.utils.set_random_seed(0)
training = these.fit(these.build(), (these.X, these.Y), these.RECIPE)
print(training.engine, training.engine_reason)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent,
    )
    assert done.stdout.split() == ["compiled"], done.stdout


@pytest.mark.skipif(current().name != "jax", reason="others have no loop that is slow")
def test_compiling_steps_runs_one_batch_of_each_kind(monkeypatch):
    """A whole epoch may take long, and nobody would see it."""
    from portable_models._backend.jax_program import JaxProgram

    called, call = [], JaxProgram._call
    prepare = JaxProgram.prepare

    def counted(self, name, *given):
        called.append(name)
        return call(self, name, *given)

    def prepared(self, *given):
        prepare(self, *given)
        called.append("ready")

    monkeypatch.setattr(JaxProgram, "_call", counted)
    monkeypatch.setattr(JaxProgram, "prepare", prepared)
    fit(build(), (X[:19], Y[:19]), RECIPE)
    steps = [name for name in called[: called.index("ready")] if name.startswith("step")]
    # Four whole batches and one of three.
    assert len(steps) == 2
    assert len([name for name in called if name.startswith("step")]) == 2 + 2 * 5


@pytest.mark.skipif(current().name != "jax", reason="others train members in turn in any case")
def test_members_that_are_trained_in_turn_hold_their_rows_once(monkeypatch):
    from portable_models._backend.jax_program import JaxProgram

    programs, run = set(), JaxProgram.run

    def watched(self, *given):
        programs.add(self)
        return run(self, *given)

    monkeypatch.setattr(JaxProgram, "run", watched)
    found = fit_many([Member(build(), (X * factor, Y), RECIPE) for factor in (1, 2)])
    assert {training.engine for training in found} == {"compiled"}
    (program,) = programs
    assert not program._stacked_rows
