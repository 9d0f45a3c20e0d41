"""The phase ``moves``: more movements of the numbers of a training step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends_matrix.check.worker.numbers import step_moves, training_step
from backends_matrix.check.worker.recorder import Recorder
from backends_matrix.check.worker.subject import Subject
from portable_models._keras.building import build_by_shapes

MOVES = range(100, 110)
"""Numbers of the movements. In a network of 50 layers two of them may miss the unit of a ReLU that rounding
opens; ten miss an event that comes in one of four with a probability of 0.06."""


def run_moves(subject: Subject, recorder: Recorder, command: Mapping[str, Any]) -> None:
    """Move the inputs of the step that the phase ``numbers`` has computed."""
    del command
    with recorder.stage("gradients") as found:
        subject.compile(subject.model)
        x, y = subject.tensors(subject.x), subject.tensors(subject.y)
        build_by_shapes(subject.model, (x, y))
        subject.restore()
        found |= step_moves(subject, training_step(subject, x, y), y, MOVES)
