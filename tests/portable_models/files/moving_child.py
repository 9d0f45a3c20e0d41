"""One backend's process: writes and resumes model files as it is told, one JSON command a line."""

import contextlib
import json
import sys
from pathlib import Path

import keras
import moving_network as network
import numpy as np

from portable_models.files import load, save
from portable_models.models import mnist_functional, mnist_sequential, mnist_subclassed
from portable_models.random import portable_random

STYLES = {
    "sequential": mnist_sequential,
    "functional": mnist_functional,
    "subclassed": mnist_subclassed,
}


def randomness(kind):
    return portable_random(3) if kind == "portable" else contextlib.nullcontext()


def write(folder, kind, optimizer):
    """Train, save, and train on: what an interrupted training must equal."""
    with randomness(kind):
        model = network.compiled(optimizer)
        before = network.train(model)
        save(model, folder / "model.keras", recipe={"optimizer": optimizer})
        at_save = network.state(model)
        after = network.train(model)
        np.savez(folder / "at_save.npz", **at_save)
        np.savez(folder / "uninterrupted.npz", history=after, before=before, **network.state(model))


def resume(folder, kind, optimizer):
    """Read a file, perhaps another backend's, and train on."""
    del optimizer
    with randomness(kind):
        model = load(folder / "model.keras")
        loaded = network.state(model)
        after = network.train(model)
        out = folder / keras.config.backend()
        out.mkdir()
        np.savez(out / "loaded.npz", **loaded)
        np.savez(out / "resumed.npz", history=after, **network.state(model))


def write_style(folder, style):
    """Save the digits network in one style, with weights that depend on nothing but their place."""
    model = STYLES[style](9, units=5, classes=3)
    numbers = np.random.default_rng(2)
    model.set_weights([numbers.normal(size=w.shape).astype("float32") for w in model.weights])
    save(model, folder / f"{style}.keras")


def read_styles(folder, writer):
    """Outputs of every style that ``writer`` saved."""
    x = np.random.default_rng(4).normal(size=(7, 9)).astype("float32")
    outputs = {
        style: load(folder / f"{style}.keras").predict(x, verbose=0, batch_size=7)
        for style in STYLES
    }
    np.savez(folder / f"{keras.config.backend()}-reads-{writer}.npz", **outputs)


COMMANDS = {command.__name__: command for command in (write, resume, write_style, read_styles)}

for line in sys.stdin:
    command = json.loads(line)
    COMMANDS[command.pop("do")](Path(command.pop("folder")), **command)
    print("done", flush=True)
