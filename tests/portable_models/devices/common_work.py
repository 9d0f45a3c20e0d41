"""Samples, models and a place for results, shared by all that is computed on a device."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import traceback
from pathlib import Path

import numpy as np

WORK = {}
SAID: dict[str, dict] = {}


def work(function):
    WORK[function.__name__] = function
    return function


def say(name, **facts):
    SAID.setdefault(name, {}).update(facts)


def rows(count=41, wide=5, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, wide)).astype("float32")
    return x, (x[:, :1] * 2 + np.sin(x[:, 1:2])).astype("float32")


def bags(count=60, words=40, seed=1):
    from portable_models.data import MultiHotSamples

    rng = np.random.default_rng(seed)
    held = [np.flatnonzero(rng.random(words) < 0.3) for _ in range(count)]
    offsets = np.concatenate([[0], np.cumsum([len(bag) for bag in held])])
    y = (rng.random(count) < 0.5).astype("float32")
    return MultiHotSamples(np.concatenate(held).astype("int32"), offsets, words, y)


def regressor(seed=3):
    import keras

    from portable_models import portable_random

    layers = keras.layers
    with portable_random(seed):
        return keras.Sequential(
            [
                keras.Input((5,)),
                layers.Dense(8, "relu", kernel_initializer="orthogonal"),
                layers.BatchNormalization(),
                layers.Dropout(0.3),
                layers.Dense(1, kernel_regularizer="l2"),
            ]
        )


def classifier(words=40):
    import keras

    from portable_models import portable_random

    layers = keras.layers
    with portable_random(4):
        return keras.Sequential(
            [
                keras.Input((words,)),
                layers.Dense(6, "relu"),
                layers.Dropout(0.2),
                layers.Dense(1, "sigmoid"),
            ]
        )


RECIPES = {
    "numbers": {"optimizer": "adam", "loss": "mse", "metrics": ("mae",)},
    "bags": {"optimizer": "rmsprop", "loss": "binary_crossentropy", "metrics": ("accuracy",)},
}


def recipe(kind="numbers", epochs=3, batch_size=8):
    from portable_models import Recipe

    return Recipe(**RECIPES[kind], epochs=epochs, batch_size=batch_size)


def members(trainings, models):
    found = {}
    for number, (training, model) in enumerate(zip(trainings, models, strict=True)):
        found |= {f"{number}/{name}": np.array(each) for name, each in training.history.items()}
        found |= {f"{number}/w{place}": each for place, each in enumerate(model.get_weights())}
        found[f"{number}/digests"] = np.array(
            sorted(f"{name}={value}" for name, value in training.digests.items())
        )
    return found


@contextlib.contextmanager
def thresholds(patched):
    """Inside, thresholds of PyTorch's programs have other values."""
    if not patched:
        yield
        return
    from unittest import mock

    from portable_models._backend import torch_program

    with mock.patch.dict(vars(torch_program), patched):
        yield


def trained(name, model, samples, validation, by, engine="compiled", **patched):
    """One training by the library, with thresholds of its programs set to other values."""
    from portable_models.training import Member, fit_many

    counts = []

    def count(*_):
        counts.append(dict(copies()))

    with thresholds(patched):
        member = Member(model, samples, by, validation)
        (training,) = fit_many([member], engine=engine, progress=count)
    say(name, engine=training.engine, reason=training.engine_reason)
    say(name, copies=[differences(*pair) for pair in itertools.pairwise(counts)])
    say(name, epochs=by.epochs, logs=len(training.history))
    return members([training], [model])


def copies():
    device = sys.modules.get("second_torch_device")
    return {} if device is None else device.COPIES


def differences(before, after):
    return {name: after[name] - before.get(name, 0) for name in after}


def run(names, out):
    """Do the work, and write what came of it."""
    found = {}
    for name in names:
        try:
            for key, value in WORK[name]().items():
                found[f"{name}/{key}"] = value
        except Exception:
            say(name, error=traceback.format_exc())
    np.savez(out, **found)
    Path(out).with_suffix(".json").write_text(json.dumps(SAID))
