"""A program that fails while it runs: ``Model.fit`` repeats the epoch and finishes; nothing is lost."""

import re
import warnings

import keras
import numpy as np
import pytest

from portable_models import Recipe, portable_random
from portable_models.data import MultiHotSamples
from portable_models.training import Member, evaluate, fit_many
from portable_models.training.programs.group import NotCompiledWarning

BACKEND = keras.backend.backend()
pytestmark = pytest.mark.skipif(
    BACKEND == "torch", reason="a traced graph of PyTorch's operations holds no call of Python"
)

STEPS, VALIDATION_STEPS = 3, 2  # 24 rows, and 16 that are held out, in batches of 8


def run_python(function, number):
    """A number that Python computes of a number, each time that a compiled program comes to it."""
    if BACKEND == "jax":
        import jax

        like = jax.ShapeDtypeStruct((), "float32")
        return jax.pure_callback(function, like, number)
    import tensorflow as tf

    return tf.reshape(tf.numpy_function(function, [number], "float32"), ())


class Fuse(keras.layers.Layer):
    """Gives what it takes, and raises once, at one of the calls that it counts while it runs."""

    def __init__(self, at=None):
        super().__init__()
        self.at = at
        self.calls = 0

    def count(self, x):
        self.calls += 1
        if self.calls == self.at:
            raise RuntimeError("the fuse blew")
        return np.float32(0.0)

    def call(self, x):
        return x + run_python(self.count, keras.ops.stop_gradient(x[0, 0]))


def network(fuse):
    with portable_random(3):
        return keras.Sequential(
            [
                keras.Input((4,)),
                fuse,
                keras.layers.Dense(5, "relu"),
                keras.layers.Dropout(0.4),
                keras.layers.BatchNormalization(),
                keras.layers.Dense(1),
            ]
        )


def numbers(count, seed):
    x = np.random.default_rng(seed).normal(size=(count, 4)).astype("float32")
    return x, x[:, :1]


def train(engine="compiled", at=None, validation=None, callbacks=()):
    fuse = Fuse(at)
    model = network(fuse)
    recipe = Recipe(
        optimizer="adam", loss="mse", epochs=4, batch_size=8, callbacks=tuple(callbacks)
    )
    member = Member(model, numbers(24, 1), recipe, validation)
    (found,) = fit_many([member], engine=engine, warn=False)
    return found, model


def told(what, work):
    """What ``work`` gives, and that it warns so, once; ``pytest.warns`` would repeat Keras's own warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = work()
    texts = [str(each.message) for each in caught if each.category is NotCompiledWarning]
    assert len(texts) == 1
    assert re.search(what, texts[0])
    return found


def assert_alike(found, expected):
    (ours, model), (keras_own, other) = found, expected
    assert ours.history.keys() == keras_own.history.keys()
    for name, values in keras_own.history.items():
        np.testing.assert_allclose(ours.history[name], values, rtol=2e-6, err_msg=name)
    for weights, others in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(weights, others, rtol=1e-5, atol=1e-6)


# In the first step, in the middle of an epoch, and in the last step.
@pytest.mark.parametrize("at", [1, STEPS + 2, 4 * STEPS])
def test_model_fit_finishes_what_a_program_began(at):
    found = told("failed while it ran .*; Model.fit finishes", lambda: train(at=at))
    assert found[0].engine_reason.startswith("Model.fit finished the training: ")
    assert_alike(found, train("keras"))


# In the training pass of the second epoch, and in its validation pass.
@pytest.mark.parametrize("at", [STEPS + VALIDATION_STEPS + 2, STEPS + VALIDATION_STEPS + STEPS + 1])
def test_an_epoch_with_callbacks_is_repeated_as_a_whole(at, tmp_path):
    held_out = numbers(16, 2)
    files = [tmp_path / "ours.csv", tmp_path / "keras.csv"]
    loggers = [lambda file=file: keras.callbacks.CSVLogger(file) for file in files]
    settings = {"validation": held_out, "callbacks": [loggers[0]]}
    found = told("failed while it ran", lambda: train(at=at, **settings))
    expected = train("keras", validation=held_out, callbacks=[loggers[1]])
    assert_alike(found, expected)
    epochs = [[line.split(",")[0] for line in file.read_text().split()] for file in files]
    assert epochs[0] == epochs[1] == ["epoch", "0", "1", "2", "3"]


def test_a_training_that_does_not_fail_says_nothing():
    assert train()[0].engine_reason == ""


def test_measuring_that_fails_is_left_to_keras(monkeypatch):
    from portable_models._backend import current

    def blow(_):
        raise RuntimeError("the fuse blew")

    summed = type(current()).rows_summed

    def fail(backend, kernel, words, count):
        return summed(backend, kernel, words, count) + run_python(blow, kernel[0, 0])

    with portable_random(0):
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    ids, offsets = np.array([0, 2, 5, 1], "int32"), np.array([0, 2, 3, 4])
    words = MultiHotSamples(ids, offsets, 6, np.arange(3, dtype="float32"))
    expected = evaluate(model, words)
    monkeypatch.setattr(type(current()), "rows_summed", fail)
    found = told("measuring failed while it ran", lambda: evaluate(model, words))
    assert found == pytest.approx(expected, rel=1e-6)
