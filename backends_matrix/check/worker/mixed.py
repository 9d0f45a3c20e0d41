"""The model under mixed precision: reported, since a model need not be made for it."""

from __future__ import annotations

import keras
import numpy as np

from backends_matrix.check.worker.loading import build
from backends_matrix.check.worker.recorder import Recorder
from backends_matrix.check.worker.subject import Subject, flat_arrays

POLICY = "mixed_bfloat16"


def run_mixed(subject: Subject, recorder: Recorder) -> None:
    """Build the model under ``mixed_bfloat16`` and call it."""
    with recorder.stage("mixed precision") as found:
        before = keras.config.dtype_policy()
        try:
            keras.config.set_dtype_policy(POLICY)
            model = build(subject.loaded, subject.seed)
            outputs = model(subject.tensors(subject.x), training=False)
            if [tuple(v.shape) for v in subject.variables(model)] == [
                v.shape for v in subject.start
            ]:
                for variable, value in zip(subject.variables(model), subject.start, strict=True):
                    variable.assign(value)
                outputs = model(subject.tensors(subject.x), training=False)
        finally:
            keras.config.set_dtype_policy(before)
        arrays = flat_arrays(outputs)
        found["finite"] = all(
            bool(np.all(np.isfinite(each))) for each in arrays if each.dtype.kind == "f"
        )
        found["@outputs"] = arrays
