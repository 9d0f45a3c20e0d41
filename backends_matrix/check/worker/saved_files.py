"""Model files and weights files: written on one backend, read on every other."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from backends_matrix.check.worker.batches import first_tensors
from backends_matrix.check.worker.late_weights import count_weights, late_weights
from backends_matrix.check.worker.recorder import Recorder, StageSkipped
from backends_matrix.check.worker.subject import (
    Subject,
    begin_states_anew,
    flat_arrays,
    reset_seeds,
)
from portable_models._backend import current
from portable_models.files import load, save
from portable_models.training.states import values

MODEL, WEIGHTS = "model.keras", "model.weights.h5"


def write_files(subject: Subject, recorder: Recorder, model: Any, *, trained: bool) -> None:
    """Write the model after one more step, what it then puts out, and how its training goes on.

    The model has taken one step from the shared state, so that its optimizer has a state to be restored.
    """
    folder = recorder.folder
    with recorder.stage("save") as found:
        trainable = trained and subject.y is not None
        if trainable:
            model.train_on_batch(*first_tensors(subject))
        _write(model, folder / MODEL)
        reset_seeds(model, subject)
        found["@outputs"] = flat_arrays(model(subject.tensors(subject.x), training=False))
    with recorder.stage("save weights") as found:
        model.save_weights(folder / WEIGHTS)
    with recorder.stage("resume") as found:
        if not trainable:
            raise StageSkipped("the model is not trained")
        begin_states_anew(model)
        model.train_on_batch(*first_tensors(subject))
        found["@weights"] = values(subject.trainable(model))


def _write(model: Any, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save(model, path)


def run_files(subject: Subject, recorder: Recorder, command: Mapping[str, Any]) -> None:
    """Read what every backend has written.

    ``command["sources"]`` maps a backend to the folder of its files.
    """
    for backend, place in command["sources"].items():
        folder = Path(place)
        model: Any = None
        if not (folder / MODEL).exists():
            continue
        with recorder.stage(f"read {backend}") as found:
            model = _read(subject, folder / MODEL)
            weights = count_weights(model)
            reset_seeds(model, subject)
            found["@outputs"] = flat_arrays(model(subject.tensors(subject.x), training=False))
            found["late"] = late_weights(model, weights)
        with recorder.stage(f"resume {backend}") as found:
            if model is None or not getattr(model, "compiled", False) or subject.y is None:
                raise StageSkipped("there is nothing to resume")
            begin_states_anew(model)
            model.run_eagerly = current().single_steps_eagerly
            model.train_on_batch(*first_tensors(subject))
            found["@weights"] = values(subject.trainable(model))
        if not (folder / WEIGHTS).exists():
            continue
        with recorder.stage(f"read weights {backend}") as found:
            target = subject.model
            subject.put(target, [np.zeros_like(each) for each in subject.start])
            target.load_weights(folder / WEIGHTS)
            reset_seeds(target, subject)
            found["@outputs"] = flat_arrays(target(subject.tensors(subject.x), training=False))
    if subject.model is not None:
        subject.restore()


def _read(subject: Subject, path: Path) -> Any:
    module = subject.loaded.module
    allow = (module.__name__.partition(".")[0],) if module is not None else ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load(path, allow=allow)
