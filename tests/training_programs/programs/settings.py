"""Arguments of fit and of compile."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from .program import Programs
from .samples import binary, regression

PROGRAMS = Programs("settings", "Keras API documentation, Model.fit and Model.compile")


def network(dropout=0.2, **compiled):
    model = keras.Sequential(
        [keras.Input((5,)), layers.Dense(6, "relu"), layers.Dropout(dropout), layers.Dense(1)]
    )
    model.compile(**{"optimizer": "adam", "loss": "mse", "metrics": ["mae"]} | compiled)
    return model


def given(**more):
    x, y = regression()
    return {"x": x, "y": y, "epochs": 3, "batch_size": 8} | more


HELD_OUT = tuple(each[:9] for each in regression())


@PROGRAMS.add(lambda: network(run_eagerly=True))
def run_eagerly(folder):
    return given(epochs=2, validation_data=HELD_OUT)


@PROGRAMS.add(lambda: network(jit_compile=False))
def jit_compile_off(folder):
    return given(epochs=2)


@PROGRAMS.add(
    lambda: network(jit_compile=True),
    backends=("jax", "tensorflow"),
    notes="on PyTorch it starts torch.compile, minutes for this program",
)
def jit_compile_on(folder):
    return given(epochs=2, validation_data=HELD_OUT)


@PROGRAMS.add(
    lambda: network(steps_per_execution=2),
    backends=("jax", "tensorflow"),
    notes="Keras refuses it on PyTorch",
)
def steps_per_execution(folder):
    return given(validation_data=HELD_OUT)


@PROGRAMS.add(network, notes="no epochs, no batch size: one epoch of 32")
def all_defaults(folder):
    x, y = regression()
    return {"x": x, "y": y}


@PROGRAMS.add(network, notes="one batch that is not full")
def batch_larger_than_the_data(folder):
    return given(batch_size=100)


@PROGRAMS.add(network, notes="a rest of one sample")
def last_batch_of_one(folder):
    return given(batch_size=12)


@PROGRAMS.add(network)
def one_sample(folder):
    x, y = regression()
    return {"x": x[:1], "y": y[:1], "epochs": 3}


@PROGRAMS.add(network)
def batch_size_one(folder):
    x, y = regression()
    return {"x": x[:7], "y": y[:7], "batch_size": 1, "epochs": 2}


@PROGRAMS.add(network)
def validation_split(folder):
    return given(validation_split=0.25)


@PROGRAMS.add(network, notes="every second epoch")
def validation_freq_number(folder):
    return given(epochs=5, validation_data=HELD_OUT, validation_freq=2)


@PROGRAMS.add(network, notes="in the epochs named")
def validation_freq_list(folder):
    return given(epochs=5, validation_data=HELD_OUT, validation_freq=[1, 4])


@PROGRAMS.add(network, notes="some of the held-out batches, by steps and a batch size of their own")
def validation_steps(folder):
    return given(validation_data=HELD_OUT, validation_batch_size=4, validation_steps=2)


@PROGRAMS.add(network)
def steps_per_epoch_of_arrays(folder):
    return given(steps_per_epoch=3)


@PROGRAMS.add(network, notes="counts on from epoch 3")
def initial_epoch(folder):
    return given(initial_epoch=3, epochs=6, validation_data=HELD_OUT)


@PROGRAMS.add(network, notes="nothing to do: initial_epoch is epochs")
def no_epochs_left(folder):
    return given(initial_epoch=3, epochs=3)


@PROGRAMS.add(network, notes="optimizer, moving averages and seed generators go on")
def two_fits(folder):
    return [given(epochs=2), given(epochs=2)]


@PROGRAMS.add(network, notes="other data, another batch size, another length, then with validation")
def three_fits_that_differ(folder):
    x, y = regression(20)
    first = {"x": x, "y": y, "batch_size": 5, "epochs": 1}
    return [first, given(epochs=2, initial_epoch=1), given(epochs=1, validation_split=0.2)]


@PROGRAMS.add(network)
def sample_weight(folder):
    weights = np.linspace(0, 2, 37)
    held_out = (*HELD_OUT, np.ones(9) / 2)
    return given(sample_weight=weights, validation_data=held_out)


@PROGRAMS.add(
    lambda: network(weighted_metrics=["mae"], metrics=["mae"]),
    notes="weights of 0 in a whole batch",
)
def sample_weight_zero(folder):
    weights = np.ones(37, "float32")
    weights[:8] = 0
    return given(sample_weight=weights)


@PROGRAMS.add(
    lambda: network(
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
    )
)
def class_weight(folder):
    x, y = binary()
    return given(x=x, y=y, class_weight={0: 1, 1: 4}, validation_data=(x[:9], y[:9]))


@PROGRAMS.add(lambda: network(auto_scale_loss=False, optimizer="rmsprop", loss="huber"))
def huber_by_name(folder):
    return given()


def compiled_again():
    """Trained, compiled anew and trained on: a new optimizer, the weights as they are."""
    model = network()
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mae", metrics=["mse"])
    return model


@PROGRAMS.add(compiled_again, notes="the second compile is what trains")
def compiled_twice(folder):
    return given()
