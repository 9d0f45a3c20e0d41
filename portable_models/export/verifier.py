"""The child process that has no Keras: opens artifacts in their own runtime and runs them.

Run as ``python -m portable_models.export.verifier REQUEST.json``. Importing keras raises here, so that an
artifact that still needs it fails as it would on a machine without it.
"""

from __future__ import annotations

import importlib
import json
import statistics
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

import numpy as np

from portable_models.export.children import write_answer
from portable_models.export.reference_file import ReferenceFile
from portable_models.export.routes import ROUTES
from portable_models.export.signature import Signature
from portable_models.export.targets.contract import Opened

LATENCY_CALLS = 9
BLOCKED = ("keras", "tf_keras")


class Blocked(MetaPathFinder):
    """Refuses to find Keras."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> None:
        """Raise for Keras and everything in it.

        Raises:
            ModuleNotFoundError: it is Keras.
        """
        del path, target
        if fullname.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(
                f"{fullname} cannot be imported where artifacts are verified", name=fullname
            )


def main(request_file: Path) -> None:
    """Do every job of the request, in order; each answer is written before the next job starts."""
    sys.meta_path.insert(0, Blocked())
    request = json.loads(request_file.read_text(encoding="utf-8"))
    for job in request["jobs"]:
        start = time.perf_counter()
        try:
            answer = {"status": "done", **run(job)}
        except Exception as error:
            traceback.print_exc()
            text = " ".join(str(error).split())[:600]
            answer = {"status": "failed", "reason": f"{type(error).__name__}: {text}"}
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
            arrays[f"{index}/out/{position}"] = value
    if opened.weight_gradients is not None and reference.cotangents:
        found = opened.weight_gradients(reference.inputs(0), reference.cotangents)
        arrays |= {f"gradient/{k}": value for k, value in enumerate(found)}
    if found := [name for name in BLOCKED if name in sys.modules]:
        raise RuntimeError(f"opening the artifact imported {', '.join(found)}")
    np.savez(job["out"], **arrays)
    return {
        "versions": {**opened.versions, "numpy": np.__version__},
        "settings": dict(opened.settings),
        "latency_s": _latency(opened, reference),
    }


def _latency(opened: Opened, reference: ReferenceFile) -> float:
    inputs, times = reference.inputs(0), []
    for _ in range(LATENCY_CALLS + 2):
        start = time.perf_counter()
        opened.call(inputs)
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
