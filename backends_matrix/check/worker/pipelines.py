"""The ways in which samples reach Keras, each compared with plain arrays."""

from __future__ import annotations

import sys
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from backends_matrix.check.worker.recorder import Recorder, StageSkipped
from backends_matrix.check.worker.subject import Subject, reset_seeds
from portable_models.data.pipelines import PIPELINES
from portable_models.data.samples import ArraySamples

Array = NDArray[Any]

_PLAIN = ("numpy", "pandas")


def run_pipelines(subject: Subject, recorder: Recorder, model: Any, size: int) -> None:
    """Evaluate through every pipeline whose framework this process has already, and through arrays.

    A framework that is not loaded would cost seconds for what its own backend's process finds anyway.
    """
    for name, pipeline in PIPELINES.items():
        if name in _PLAIN or any(package not in sys.modules for package in pipeline.requires):
            continue
        with recorder.stage(f"pipeline {name}") as found:
            if subject.y is None:
                raise StageSkipped("the model takes no targets")
            if _is_nested(subject.x) or _is_nested(subject.y):
                raise StageSkipped(
                    "samples in nested structures are not delivered by this pipeline"
                )
            if any(leaf.dtype.kind in "USO" for leaf in keras.tree.flatten(subject.x)):
                raise StageSkipped("samples with strings are not delivered by this pipeline")
            samples = ArraySamples(
                _structure(subject.arrays(subject.x)), _structure(subject.arrays(subject.y))
            )
            rows = len(keras.tree.flatten(subject.x)[0])
            feed = pipeline.feed(samples, np.arange(rows), size)
            reset_seeds(model, subject)
            logs = model.evaluate(**feed.arguments(), verbose=0, return_dict=True)
            reset_seeds(model, subject)
            plain = model.evaluate(
                subject.arrays(subject.x),
                subject.arrays(subject.y),
                batch_size=size,
                verbose=0,
                return_dict=True,
            )
            found["differs"] = {
                key: [float(value), float(plain[key])]
                for key, value in logs.items()
                if not isinstance(value, dict)
                and not np.array_equal(value, plain[key], equal_nan=True)
            }


def _is_nested(structure: Any) -> bool:
    """Whether a structure holds others."""
    parts = structure.values() if isinstance(structure, dict) else structure
    if isinstance(structure, np.ndarray):
        return False
    return any(isinstance(each, dict | list | tuple) for each in parts)


def _structure(structure: Any) -> Any:
    """Lists as tuples: a list of arrays is an array to some pipelines."""
    if isinstance(structure, list):
        return tuple(_structure(each) for each in structure)
    if isinstance(structure, dict):
        return {key: _structure(value) for key, value in structure.items()}
    return structure
