"""One training step in parts: what goes into every layer of the judge, and what comes out elsewhere.

The machinery is that of ``portable check`` (``check/worker``). Here the model and its batch are those of a
recorded state of a study's training. Needs Keras: imported by workers only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from backends_matrix.check.worker.double import judge_in_float64
from backends_matrix.check.worker.loading import Loaded
from backends_matrix.check.worker.recorder import Recorder
from backends_matrix.check.worker.recording import run_record
from backends_matrix.check.worker.replay import run_replay
from backends_matrix.check.worker.subject import Subject
from portable_models.random import portable_random
from portable_models.training.engines.engine import Job
from portable_models.training.one_step import prepare
from portable_models.training.states import State


def replay_parts(job: Job, states: Path, step: int, folder: Path, judge: str) -> None:
    """Record every part of a step, or compute each from what the judge has recorded.

    Args:
        job: a job like the recorded one.
        states: folder of the recorded states.
        step: how many steps were made before the one that is looked at.
        folder: gets what is found: phase ``record``, or ``replay``.
        judge: folder of the judge's phase ``record``; "" in the judge itself, which computes in float64.
    """
    found = (State.read(path) for path in sorted(states.glob("state-*.npz")))
    read = next(each for each in found if each.step == step)
    batch = job.rows.take(read.batch)
    if not judge:
        judge_in_float64()
    subject = Subject(
        Loaded(lambda: job.model, None, ""),
        job.settings.seed,
        double=keras.config.floatx() == "float64",
        sample="",
        model=job.model,
        x=_plain(batch.x),
        y=_plain(batch.y),
        start=read.variables,
    )
    phase = "replay" if judge else "record"
    recorder = Recorder(folder, phase, lambda stage: None, lambda: "")
    with portable_random(job.settings.seed):
        prepare(job)
        if judge:
            run_replay(subject, recorder, {"training": True, "judge": judge})
        else:
            run_record(subject, recorder, {"training": True})


def _plain(structure: Any) -> Any:
    return keras.tree.map_structure(
        lambda leaf: None if leaf is None else np.asarray(leaf), structure
    )
