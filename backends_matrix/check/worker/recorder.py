"""What the stages of a phase leave behind: one JSON file, and arrays beside it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends_matrix.check.worker.failure import describe, place_of_class
from backends_matrix.check.worker.keras_frames import forget_cut_frames

Array = NDArray[Any]


class StageSkipped(Exception):  # noqa: N818 - a signal, not an error
    """A stage does not apply here; the message says why."""


class Recorder:
    """Records the stages of one phase.

    Args:
        folder: gets ``PHASE.json`` after every stage, and ``PHASE.STAGE.npz`` for each stage with arrays.
        phase: the phase's name.
        say: tells the parent which stage begins.
        root: folder of the user's own files.
        model: the model, once it is built, else None; failures name its class, unless it is Keras's own.
    """

    def __init__(
        self,
        folder: Path,
        phase: str,
        say: Callable[[str], None],
        root: Callable[[], str],
        model: Callable[[], Any] = lambda: None,
    ) -> None:
        self.folder = folder
        self._phase, self._say, self._root, self._model = phase, say, root, model
        self.stages: dict[str, dict[str, Any]] = {}

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[dict[str, Any]]:
        """Run a stage; an exception becomes its result. Yields a dict for data and arrays.

        Keys that begin with ``@`` hold a mapping or list of arrays, all others something JSON-able.
        """
        self._say(name)
        forget_cut_frames()
        found: dict[str, Any] = {}
        entry: dict[str, Any] = {"status": "ok", "failure": None, "data": {}, "arrays": []}
        begin = time.perf_counter()
        try:
            yield found
        except StageSkipped as reason:
            entry["status"], entry["data"] = "skipped", {"reason": str(reason)}
        except MemoryError as error:
            entry["status"], entry["failure"] = "failed", describe(error, self._root())
            entry["failure"]["message"] = "it needs more memory than --memory allows"
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # a user's code raises anything
            entry["status"], entry["failure"] = "failed", describe(error, self._root())
            kind = type(self._model())
            if not kind.__module__.startswith(("keras.", "builtins")):
                entry["failure"]["model"] = place_of_class(kind)
        entry["seconds"] = round(time.perf_counter() - begin, 4)
        arrays: dict[str, Array] = {}
        for key, value in found.items():
            if not key.startswith("@"):
                entry["data"][key] = value
                continue
            items = value.items() if isinstance(value, Mapping) else enumerate(value)
            arrays |= {f"{key[1:]}/{name}": _plain(array) for name, array in items}
        if arrays:
            np.savez(self.folder / f"{self._phase}.{name}.npz", **arrays)  # type: ignore[arg-type]
            entry["arrays"] = list(arrays)
        self.stages[name] = entry
        self.write()

    def failed(self, name: str) -> bool:
        """Whether a stage ran and failed."""
        return self.stages.get(name, {}).get("status") == "failed"

    def write(self) -> None:
        """Write all stages so far, whole or not at all."""
        temporary = self.folder / f"{self._phase}.json.part"
        temporary.write_text(json.dumps(self.stages), encoding="utf-8")
        temporary.replace(self.folder / f"{self._phase}.json")


def _plain(array: Any) -> Array:
    found = np.asarray(array)
    return found.astype(np.float32) if found.dtype.kind == "V" else found


def equal(first: Sequence[Array], second: Sequence[Array]) -> tuple[bool, float]:
    """Whether two lists of arrays hold the same values, NaN included, and their largest difference."""
    largest = 0.0
    same = len(first) == len(second)
    for one, other in zip(first, second, strict=False):
        if one.shape != other.shape:
            return False, float("inf")
        if one.dtype.kind not in "fc":
            same = same and bool(np.array_equal(one, other))
            continue
        if np.array_equal(one, other, equal_nan=True):
            continue
        same = False
        with np.errstate(invalid="ignore"):
            distance = np.abs(one.astype(np.float64) - other.astype(np.float64))
        largest = max(largest, float(np.nanmax(distance, initial=0.0)))
    return same, largest
