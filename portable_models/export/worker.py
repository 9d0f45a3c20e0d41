"""The child process that has Keras: measures source models and writes artifacts.

Run as ``python -m portable_models.export.worker REQUEST.json`` with ``KERAS_BACKEND`` set by the parent.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from portable_models.export.children import write_answer
from portable_models.export.errors import ExportError, RefusedError
from portable_models.export.messages import plain_reason
from portable_models.export.routes import ROUTES, Step
from portable_models.export.sample import by_input, read_sample


def main(request_file: Path) -> None:
    """Do every job of the request, in order; each answer is written before the next job starts."""
    request = json.loads(request_file.read_text(encoding="utf-8"))
    for job in request["jobs"]:
        start = time.perf_counter()
        try:
            answer = {"status": "done", **run(job)}
        except RefusedError as error:
            answer = {"status": "refused", "reason": str(error)}
        except ExportError as error:
            answer = {"status": "failed", "reason": str(error), "user": True}
        except Exception as error:
            traceback.print_exc()
            answer = {"status": "failed", "reason": plain_reason(error)}
        answer["seconds"] = time.perf_counter() - start
        write_answer(Path(job["result"]), answer)


def run(job: Mapping[str, Any]) -> dict[str, Any]:
    """Do one job: ``{"action": "reference" | "convert", "imports", ...}``.

    Raises:
        ExportError: the file is no model that can be loaded.
        RefusedError: the target cannot hold the model.
    """
    for name in job["imports"]:
        _import(name)
    from portable_models._backend import current
    from portable_models.export import discovery, inspection, loading, preparation, reference

    settings = current().require_full_precision()
    model = loading.load(Path(job["model"]), job["imports"])
    seen, sample = inspection.view(model), None
    if job.get("sample"):
        arrays = read_sample(Path(job["sample"]))
        sample = by_input(arrays, seen.signature, typed=seen.declared)
        seen = inspection.view(model, sample)
    seen = discovery.discover(seen, job.get("sizes", {}))
    if sample is not None:
        # The sizes that were asked for, or found, must be those of the sample too.
        sample = by_input(arrays, seen.signature, typed=seen.declared)
    if job["action"] == "reference":
        measured = reference.measure(
            seen, job["batch"], Path(job["out"]), gradients=job["gradients"], sample=sample
        )
        return {"settings": dict(settings), **measured}
    route = ROUTES[job["target"]]
    way = route.ways[job.get("way", 0)]
    preparation.check_limits(seen, way.limits)
    if Step.UNROLL in way.steps:
        preparation.unroll(model)
    if Step.SPLIT in way.steps:
        preparation.split_long_sums(model)
    if Step.CALL in way.steps:
        preparation.call_once(seen, job["batch"])
    write = getattr(importlib.import_module(way.module or route.module), way.writer)
    extra = write(seen, Path(job["artifact"]), Path(job["model"]))
    return {"signature": seen.signature.to_dict(), "settings": dict(settings), **extra}


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and name.startswith(error.name):
            raise ExportError(
                f"the module {name!r} of --import cannot be found from {Path.cwd()}; "
                "give a module that Python can import from here"
            ) from None
        raise


if __name__ == "__main__":
    main(Path(sys.argv[1]))
