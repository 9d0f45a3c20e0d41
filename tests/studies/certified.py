"""A study of a few milliseconds for certificates: its results vary by seed, and not by rounding."""

import itertools
import os
import time
from pathlib import Path

import numpy as np
from misbehaving import build

from portable_models import Experiment, Recipe
from portable_models.data import ArraySamples, DataSet
from portable_models.experiments import ValidateOnTest, Variant

RECIPE = Recipe(
    optimizer="rmsprop",
    loss="binary_crossentropy",
    metrics=("accuracy",),
    epochs=12,
    batch_size=16,
)
BUILDS = itertools.count(1)


def load(source, trust):
    rng = np.random.default_rng(7)
    x = rng.random((100, 4)).astype("float32")
    y = (x.sum(axis=1) + 0.3 * rng.normal(size=100) > 2).astype("float32")
    parts = (ArraySamples(x[:60], y[:60]), ArraySamples(x[60:], y[60:]))
    return DataSet("points", source, *parts, "points in a cube")


def wait_after_some(data):
    """Wait to be ended at the fifth training of this process, and say so."""
    if next(BUILDS) == 5 and not Path(os.environ["INTERRUPT_MARKER"]).exists():
        Path(os.environ["INTERRUPT_MARKER"]).touch()
        time.sleep(3600)
    return build(data)


def study_of(name, build):
    return Experiment(
        name=name,
        title="Points in a cube",
        description="Tells on which side of a plane a point lies.",
        load=load,
        variants=(
            Variant(
                name="plain", title="plain", build=build, recipe=RECIPE, procedure=ValidateOnTest()
            ),
        ),
    )


study = study_of("certified", build)
waiting = study_of("waiting", wait_after_some)
