"""One process for each installed backend, asked to write and to read files."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import pytest

from . import hostile_files as hostile

CHILD = Path(__file__).with_name("moving_child.py")
ROOT = Path(__file__).parents[3]


class Child:
    """A backend's process; its imports are paid once for all that it is asked."""

    def __init__(self, backend, log):
        environment = os.environ | {
            "KERAS_BACKEND": backend,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            # A network that is read three times is compiled once.
            "JAX_COMPILATION_CACHE_DIR": str(log.parent / "compiled"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
        self.log = log
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(CHILD)],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def ask(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def wait(self):
        answer = self.process.stdout.readline()
        assert answer == "done\n", self.log.read_text()[-3000:]

    def close(self):
        # Everything it was asked is written: its own way out takes seconds.
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="session")
def children(backends, tmp_path_factory):
    """A running process by the name of its backend."""
    logs = tmp_path_factory.mktemp("logs")
    running = {name: Child(name, logs / f"{name}.log") for name in backends}
    yield running
    for child in running.values():
        child.close()


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The members of a sound file that plain Keras wrote."""
    path = tmp_path_factory.mktemp("sound") / "sound.keras"
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(4, name="hidden"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1, name="value"),
        ]
    )
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    model.save(path)
    return hostile.read_members(path) | {"assets/a": b"kept"}


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A working folder and a folder for temporary files, both to be left as they are."""
    for name in ("work", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path
