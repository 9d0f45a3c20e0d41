"""A study of a few milliseconds whose variants misbehave in every way that a worker must survive."""

import os
import signal
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import keras
import numpy as np

from portable_models import Experiment, Recipe
from portable_models.data import ArraySamples, DataSet
from portable_models.experiments import Claim, FinalTest, KFold, ValidateOnTest, Variant
from portable_models.experiments.procedures import Procedure
from portable_models.plots import Curve, Figure

RECIPE = Recipe(loss="binary_crossentropy", metrics=("accuracy",), epochs=3, batch_size=16)


def load(source, trust):
    rng = np.random.default_rng(7)
    x = rng.random((80, 4)).astype("float32")
    y = (x.sum(axis=1) > 2).astype("float32")
    return DataSet(
        "points",
        source,
        ArraySamples(x[:50], y[:50]),
        ArraySamples(x[50:], y[50:]),
        "points in a cube",
    )


def build(data, dropout=0.0):
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def build_on_a_kink(data):
    """Every hidden unit starts exactly at zero, where LeakyReLU has no derivative."""
    hidden = keras.layers.Dense(8, kernel_initializer="zeros")
    return keras.Sequential(
        [
            keras.Input((4,)),
            hidden,
            keras.layers.LeakyReLU(0.2),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def build_far_from_zero(data):
    """What is normalized lies around 100 with a variance below 0.1: squares and their means lose it."""
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Rescaling(1.0, offset=100.0),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def crash(data):
    os.kill(os.getpid(), signal.SIGKILL)


def hang(data):
    time.sleep(3600)


def fail(data):
    raise ValueError("this variant always fails")


def not_a_number(data):
    model = build(data)
    model.layers[-1].bias.assign([np.nan])
    return model


def wait_for_interrupt(data):
    """Tell the test that the cell is running, then wait to be ended."""
    Path(os.environ["INTERRUPT_MARKER"]).touch()
    time.sleep(3600)


@dataclass(frozen=True)
class KilledOnce:
    """Dies the first time that it is run, after some epochs; writes down which epochs it is told of."""

    inner: Procedure
    after: int

    def run(self, task):
        told = Path(os.environ["TOLD"]) / f"{type(self.inner).__name__}.txt"
        again = told.exists()

        def on_epoch(epoch, epochs, metrics):
            task.on_epoch(epoch, epochs, metrics)
            with told.open("a") as file:
                file.write(f"{epoch}\n")
            if epoch >= self.after and not again:
                crash(None)

        return self.inner.run(replace(task, on_epoch=on_epoch))


def variant(name, build, procedure=None, **changes):
    return Variant(
        name=name,
        title=name,
        build=build,
        recipe=RECIPE.replace(**changes),
        procedure=procedure or ValidateOnTest(),
    )


def study_of(name, *variants, claims=()):
    return Experiment(
        name=name,
        title="Points in a cube",
        description="Tells on which side of a plane a point lies.",
        load=load,
        variants=variants,
        figures=(
            Figure(
                name="loss",
                title="Loss",
                x_label="epoch",
                y_label="loss",
                curves=tuple(Curve(each.name, "val_loss", each.name) for each in variants),
            ),
        ),
        claims=claims,
    )


def falls(outcomes):
    losses = outcomes["plain"].history["loss"]
    return losses[-1] < losses[0], f"{losses[0]:.4f} to {losses[-1]:.4f}"


plain = variant("plain", build)
dropout = variant("dropout", partial(build, dropout=0.5))
last = variant("last", build)

sound = study_of(
    "sound",
    plain,
    dropout,
    variant("tested", build, FinalTest(), class_weight={0: 1.0, 1: 3.0}),
    claims=(Claim(statement="the loss falls", variants=("plain",), check=falls),),
)
crashing = study_of("crashing", plain, variant("crash", crash), last)
hanging = study_of("hanging", plain, variant("hang", hang), last)
failing = study_of(
    "failing", plain, variant("fail", fail), variant("nan", not_a_number, loss="mse"), last
)
interrupted = study_of("interrupted", plain, variant("wait", wait_for_interrupt), last)
far_from_zero = study_of("far_from_zero", variant("far", build_far_from_zero, optimizer="sgd"))
kinked = study_of("kinked", variant("kink", build_on_a_kink, optimizer="sgd"))
killed = study_of(
    "killed",
    variant("once", partial(build, dropout=0.5), KilledOnce(ValidateOnTest(), 5), epochs=8),
    variant("folds", build, KilledOnce(KFold(2, metric="accuracy"), 10), epochs=8),
)
