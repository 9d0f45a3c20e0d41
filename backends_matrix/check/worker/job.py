"""A child's job: the phases of one target, one after the other as the parent asks for them."""

from __future__ import annotations

import importlib
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from backends_matrix.check.worker.building import run_build
from backends_matrix.check.worker.keras_frames import note_cut_frames
from backends_matrix.check.worker.loading import fresh_randomness, load_target, user_files
from backends_matrix.check.worker.recorder import Recorder
from backends_matrix.check.worker.subject import Subject
from portable_models._backend import current
from portable_models._keras.serialization import serialize_without_tensorflow
from portable_models._keras.tracebacks import watch_cut_tracebacks

_PHASES = {
    "numbers": "backends_matrix.check.worker.numbers",
    "moves": "backends_matrix.check.worker.more_moves",
    "files": "backends_matrix.check.worker.saved_files",
    "record": "backends_matrix.check.worker.recording",
    "replay": "backends_matrix.check.worker.replay",
}
"""Phase -> module with a function ``run_PHASE(subject, recorder, command)``."""


def run_job(order: dict[str, Any], connection: socket.socket) -> None:
    """Run phases until the parent closes the connection."""
    commands = connection.makefile("r", encoding="utf-8")

    def say(**event: Any) -> None:
        connection.sendall(json.dumps(event).encode() + b"\n")

    current().bound_threads(order["threads"])
    current().require_full_precision()
    current().require_determinism()
    keras.config.disable_traceback_filtering()
    keras.utils.disable_interactive_logging()
    watch_cut_tracebacks(note_cut_frames)
    serialize_without_tensorflow()
    if order["double"]:
        from backends_matrix.check.worker.double import judge_in_float64

        judge_in_float64()
    folder = Path(order["folder"])
    job = _Job(order, folder, lambda stage: say(event="stage", stage=stage))
    with fresh_randomness(order["seed"]):
        for line in commands:
            command = json.loads(line)
            job.run(command)
            say(event="done", phase=command["phase"])


class _Job:
    def __init__(self, order: dict[str, Any], folder: Path, say: Callable[[str], None]) -> None:
        self._order, self._folder, self._say = order, folder, say
        self._subject: Subject | None = None

    def _root(self) -> str:
        if self._subject is not None:
            return self._subject.loaded.root
        target = self._order["target"]
        return str(Path(target["path"]).parent) if target["kind"] == "file" else ""

    def _model(self) -> Any:
        return self._subject.model if self._subject is not None else None

    def run(self, command: dict[str, Any]) -> None:
        """Run one phase."""
        name = command["phase"]
        recorder = Recorder(self._folder, name, self._say, self._root, self._model)
        if name == "build":
            self._begin(recorder)
        elif self._subject is not None and self._subject.model is not None:
            phase = importlib.import_module(_PHASES[name])
            getattr(phase, f"run_{name}")(self._subject, recorder, command)
        recorder.write()

    def _begin(self, recorder: Recorder) -> None:
        order = self._order
        with recorder.stage("import") as found:
            loaded = load_target(order["target"], order["seed"])
            self._subject = Subject(loaded, order["seed"], order["double"], order["sample"])
            found["files"] = user_files(loaded.root)
        if self._subject is not None:
            run_build(self._subject, recorder)
