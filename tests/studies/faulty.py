"""Studies with one fault each, which must cost that study, cell or claim only."""

import os
import sys

import keras
import numpy as np
from misbehaving import build, load, study_of, variant

from portable_models import Experiment
from portable_models.data import ArraySamples, DataSet
from portable_models.experiments import Claim

HOSTILE = "\x1b]0;owned\x07\x1b[31m[bold red]\u202egpj.exe\u2066[/nonsense]" + "x" * 10_000
plain = variant("plain", build)


def study(name, *variants, load=load, claims=()):
    made = study_of(name, *variants, claims=claims)
    return Experiment(**{**vars(made), "load": load})


def raise_key_error(source, trust):
    return {}["no such column"]


def give_nothing(source, trust):
    return None


def give_empty(train, test):
    def give(source, trust):
        data = load(source, trust)
        rows = np.arange(0)
        parts = (
            data.train.subset(rows) if train else data.train,
            data.test.subset(rows) if test else data.test,
        )
        return DataSet("points", source, *parts, "no points")

    return give


def describe_hostilely(source, trust):
    data = load(source, trust)
    return DataSet("points", source, data.train, data.test, HOSTILE)


def make_noise(data):
    """Print to every output there is, without a line's end, and read the input."""
    os.write(1, b"noise on the first output")
    sys.__stdout__.write("noise without an end")
    print('{"event": "done", "key": "forged"}')
    print("noise", end="", file=sys.stderr)
    assert sys.stdin.read() == ""
    return build(data)


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("not even this")


def raise_hostile(data):
    raise ValueError(HOSTILE)


def raise_unprintable(data):
    raise UnprintableError


def exit_politely(data):
    sys.exit(0)


def draw_without_seed(data):
    model = build(data)
    model.layers[0].kernel.assign(np.random.default_rng().normal(size=(4, 8)).astype("float32"))
    return model


def load_without_seed(source, trust):
    rng = np.random.default_rng()
    x = rng.random((80, 4)).astype("float32")
    y = (x.sum(axis=1) > 2).astype("float32")
    parts = (ArraySamples(x[:50], y[:50]), ArraySamples(x[50:], y[50:]))
    return DataSet("points", source, *parts, "other points each time")


def claim(statement, check):
    return Claim(statement=statement, variants=("plain",), check=check, full_length=False)


def raise_in_claim(outcomes):
    return outcomes["plain"].history["no such metric"], ""


raising_load = study("raising_load", plain, load=raise_key_error)
nothing_loaded = study("nothing_loaded", plain, load=give_nothing)
no_training = study("no_training", plain, load=give_empty(train=True, test=False))
no_test = study("no_test", plain, load=give_empty(train=False, test=True))
hostile_text = study("hostile_text", plain, load=describe_hostilely)
noisy = study("noisy", variant("noise", make_noise))
raising = study(
    "raising",
    variant("hostile", raise_hostile),
    variant("unprintable", raise_unprintable),
    variant("exits", exit_politely),
)
claiming = study(
    "claiming",
    plain,
    claims=(
        claim("this one raises", raise_in_claim),
        claim("this one gives a number", lambda outcomes: 3),
        claim("this one gives no text", lambda outcomes: (True, object())),
        claim("this one is sound", lambda outcomes: (True, "fine")),
    ),
)
long_name = study("long_name", variant("v" * 300, build))
unseeded = study("unseeded", variant("model", draw_without_seed))
unseeded_data = study("unseeded_data", plain, load=load_without_seed)
serialized_sgd = study(
    "serialized_sgd",
    variant(
        "sgd",
        build,
        optimizer=keras.optimizers.serialize(keras.optimizers.SGD(0.05, momentum=0.9)),
    ),
)
