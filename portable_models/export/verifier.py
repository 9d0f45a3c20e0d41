"""The child process that has no Keras: opens artifacts in their own runtime and runs them.

Run as ``python -m portable_models.export.verifier REQUEST.json``. Importing keras raises here, so that an
artifact that still needs it fails as it would on a machine without it.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import statistics
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

import numpy as np

from portable_models.export.children import write_answer
from portable_models.export.messages import plain_reason
from portable_models.export.reference_file import ReferenceFile
from portable_models.export.routes import ROUTES
from portable_models.export.signature import Signature
from portable_models.export.targets.contract import Opened

LATENCY_CALLS = 9
BLOCKED = ("keras", "tf_keras")


class WithoutKeras(PathFinder):
    """Finds what is on the path, except Keras.

    TensorFlow asks whether there is a keras, so it is not enough to raise where it is imported.
    """

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """None for Keras and everything in it."""
        if fullname.partition(".")[0] in BLOCKED:
            return None
        return super().find_spec(fullname, path, target)


def block_keras() -> None:
    """Make this process one in which keras cannot be imported.

    Raises:
        RuntimeError: keras was imported already, or is found all the same.
    """
    sys.meta_path[:] = [
        WithoutKeras if finder is PathFinder else finder for finder in sys.meta_path
    ]
    for name in BLOCKED:
        if name in sys.modules or importlib.util.find_spec(name) is not None:
            raise RuntimeError(f"{name} can still be imported, so nothing would be proven")


def main(request_file: Path) -> None:
    """Do every job of the request, in order; each answer is written before the next job starts."""
    block_keras()
    request = json.loads(request_file.read_text(encoding="utf-8"))
    for job in request["jobs"]:
        start = time.perf_counter()
        try:
            answer = {"status": "done", **run(job)}
        except Exception as error:
            traceback.print_exc()
            answer = {"status": "failed", "reason": plain_reason(error)}
        answer["seconds"] = time.perf_counter() - start
        write_answer(Path(job["result"]), answer)


def run(job: Mapping[str, Any]) -> dict[str, Any]:
    """Open ``job["artifact"]`` and run it on all probes of ``job["reference"]``.

    Writes ``job["out"]``, an ``.npz`` file with ``P/out/J`` for probe P and output J, and ``gradient/K``.

    Raises:
        RuntimeError: keras was imported all the same.
    """
    target = importlib.import_module(ROUTES[job["target"]].module)
    opened: Opened = target.open_artifact(
        Path(job["artifact"]), Signature.from_dict(job["signature"])
    )
    reference = ReferenceFile(Path(job["reference"]))
    arrays: dict[str, Any] = {}
    for index in range(reference.probes):
        for position, value in enumerate(opened.call(reference.inputs(index))):
            arrays[f"{index}/out/{position}"] = _plain(value)
    if opened.weight_gradients is not None and reference.cotangents:
        found = opened.weight_gradients(reference.inputs(0), reference.cotangents)
        arrays |= {f"gradient/{k}": _plain(value) for k, value in enumerate(found)}
    if loaded := [name for name in BLOCKED if name in sys.modules]:
        raise RuntimeError(f"opening the artifact imported {', '.join(loaded)}")
    np.savez(job["out"], **arrays)
    return {
        "versions": {**opened.versions, "numpy": np.__version__},
        "settings": dict(opened.settings),
        "latency_s": _latency(opened, reference),
    }


def _plain(value: Any) -> Any:
    """NumPy cannot write bfloat16 to a file; every bfloat16 number is a float32 number too."""
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def _latency(opened: Opened, reference: ReferenceFile) -> float:
    inputs, times = reference.inputs(0), []
    for _ in range(LATENCY_CALLS + 2):
        start = time.perf_counter()
        opened.call(inputs)
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
