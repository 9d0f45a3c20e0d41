"""What can be seen of a training: its hooks, its end state, its files, and what it left in the process."""

from __future__ import annotations

import csv
import gc
import io
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras.src import backend as keras_backend

Observations = dict[str, Any]


class Watcher(keras.callbacks.Callback):
    """Records every hook of epochs and of validation: its order, its logs, and the state at it.

    It watches no batches, which would forbid to run several of them in one go.
    """

    def __init__(self) -> None:
        super().__init__()
        self.observations: list[Any] = []

    def _see(self, hook: str, epoch: int | None, logs: Any) -> None:
        optimizer = getattr(self.model, "optimizer", None)
        self.observations.append(
            {
                "hook": hook,
                "epoch": epoch,
                # A copy: what a later callback adds to the logs is not seen here.
                "logs": plain(dict(logs or {})),
                "weights": values_of(self.model.variables),
                "optimizer": values_of(optimizer.variables) if optimizer else [],
                "stop_training": bool(self.model.stop_training),
                "params": plain(self.params),
            }
        )

    def on_train_begin(self, logs=None):
        self._see("on_train_begin", None, logs)

    def on_train_end(self, logs=None):
        self._see("on_train_end", None, logs)

    def on_epoch_begin(self, epoch, logs=None):
        self._see("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self._see("on_epoch_end", epoch, logs)


class TestWatcher(Watcher):
    """Records the hooks of validation too."""

    __test__ = False  # not a class of tests

    def on_test_begin(self, logs=None):
        self._see("on_test_begin", None, logs)

    def on_test_end(self, logs=None):
        self._see("on_test_end", None, logs)


@dataclass
class Trained:
    """One run of a program.

    Args:
        seen: quantity -> value, nested; what two runs must agree in.
        engine: the engine that ran, for each ``fit``.
        reasons: why it was not the one that was asked for.
        warnings: what was warned of.
        steps: how many training steps were run in all.
    """

    seen: Observations = field(default_factory=dict)
    engine: str = ""
    reason: str = ""
    warnings: list[str] = field(default_factory=list)
    steps: int = 0


def values_of(variables: Any) -> list[Any]:
    """The values of variables, by position, as arrays of their own."""
    return [np.array(keras.ops.convert_to_numpy(variable.value)) for variable in variables]


def plain(value: Any) -> Any:
    """A value of any framework as NumPy's and Python's."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if keras.ops.is_tensor(value) or isinstance(value, keras.Variable):
        return np.array(keras.ops.convert_to_numpy(value))
    return value


def end_state(model: Any, history: Any, fits: list[dict[str, Any]]) -> Observations:
    """What a training leaves behind: history, state of the model, what its callbacks recorded."""
    optimizer = getattr(model, "optimizer", None)
    return {
        "history": plain(history.history),
        "epochs": list(history.epoch),
        "params": plain(history.params),
        "weights": values_of(model.variables),
        "trainable": [bool(variable.trainable) for variable in model.variables],
        "optimizer": values_of(optimizer.variables) if optimizer else [],
        "iterations": int(keras.ops.convert_to_numpy(optimizer.iterations)) if optimizer else None,
        "stop_training": bool(model.stop_training),
        "callbacks": [
            [type(each).__name__, plain(each.observations)]
            for fit in fits
            for each in callbacks_of(fit)
            if hasattr(each, "observations")
        ],
    }


def callbacks_of(fit: dict[str, Any]) -> list[Any]:
    given = fit.get("callbacks") or []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def files_in(folder: Path) -> Observations:
    """Name -> content of every file below a folder, as numbers where they are."""
    return {
        path.relative_to(folder).as_posix(): _content(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _content(path: Path) -> Any:
    if path.suffix == ".csv":
        rows = list(csv.reader(path.read_text().splitlines()))
        return [[_number(cell) for cell in row] for row in rows]
    if path.suffix == ".h5":
        return _arrays(path.read_bytes())
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            return _arrays(archive.read("model.weights.h5"))
    # Logs of TensorBoard and the like hold times; that they were written is all that can be compared.
    return path.stat().st_size > 0


def _number(cell: str) -> Any:
    try:
        return float(cell)
    except ValueError:
        return cell


def _arrays(content: bytes) -> list[Any]:
    found: list[Any] = []
    with h5py.File(io.BytesIO(content)) as file:
        # Names hold counters of the process, the order does not.
        file.visititems(lambda _, each: found.append(each[()]) if hasattr(each, "dtype") else None)
    return found


def process_state(model: Any) -> Observations:
    """What belongs to the user's process and to Keras, and must be as it was after a training."""
    optimizer = getattr(model, "optimizer", None)
    state = {
        f"keras.random.{name}": id(value)
        for name, value in vars(keras_backend.random).items()
        if callable(value)
    }
    state |= {
        # Packages that Keras imports late add finders of their own; ours must not.
        "sys.meta_path": [each for each in map(repr, sys.meta_path) if "portable_models" in each],
        "gc": [gc.isenabled(), *gc.get_threshold()],
        "floatx": keras.config.floatx(),
        "dtype_policy": keras.config.dtype_policy().name,
        "orthogonal": id(keras.initializers.Orthogonal.__call__),
        "patched on the model": sorted(set(vars(model)) & set(dir(keras.Model)) - _OWN),
        "patched on the optimizer": sorted(
            name for name, value in vars(optimizer).items() if callable(value) and name[0] != "_"
        )
        if optimizer
        else [],
    }
    return state


_OWN = set(vars(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])))
