"""Who takes part in a check: the backends, and the judges in float64."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

JUDGES = ("torch", "tensorflow", "jax")
"""Who judges, in this order. PyTorch computes eagerly, hence fastest; the others are asked where something
differs."""


@dataclass(frozen=True)
class Member:
    """One process of a check.

    Args:
        backend: what Keras runs on.
        double: it judges, in float64.
    """

    backend: str
    double: bool = False

    @property
    def name(self) -> str:
        """How it is called in folders and messages."""
        return f"{self.backend}-float64" if self.double else self.backend

    def device(self, asked: str) -> str:
        """Where it computes if the backends compute on the device ``asked``; a judge stays on the CPU."""
        return "cpu" if self.double else asked


@dataclass
class Stage:
    """What a stage left behind.

    Args:
        status: ok, failed, skipped, or absent where it never ran.
        failure: the exception, if it failed.
        data: JSON.
        seconds: what it took.
        arrays: by ``group/name``.
    """

    status: str = "absent"
    failure: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    arrays: dict[str, Array] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it ran to its end."""
        return self.status == "ok"

    def group(self, name: str) -> dict[str, Array]:
        """The arrays of a group, by what follows its name."""
        return {
            key[len(name) + 1 :]: array
            for key, array in self.arrays.items()
            if key.startswith(f"{name}/")
        }


@dataclass
class Findings:
    """All that one member left behind.

    Args:
        member: who.
        folder: where.
        ended: why its process ended early, with the stage that it was in, if it did.
    """

    member: Member
    folder: Path
    ended: tuple[str, str, bool] | None = None
    _cache: dict[tuple[str, str], Stage] = field(default_factory=dict)

    def stages(self, phase: str) -> list[str]:
        """The names of the stages that ran in a phase."""
        return list(self._document(phase))

    def stage(self, phase: str, name: str) -> Stage:
        """What a stage left; an empty one where it never ran."""
        key = (phase, name)
        if key not in self._cache:
            self._cache[key] = self._read(phase, name)
        return self._cache[key]

    def forget(self) -> None:
        """Read files again: more stages have run."""
        self._cache.clear()

    def _document(self, phase: str) -> dict[str, Any]:
        path = self.folder / f"{phase}.json"
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found

    def _read(self, phase: str, name: str) -> Stage:
        entry = self._document(phase).get(name)
        if entry is None:
            return Stage()
        arrays: dict[str, Array] = {}
        if entry["arrays"]:
            try:
                with np.load(self.folder / f"{phase}.{name}.npz", allow_pickle=False) as held:
                    arrays = {key: held[key] for key in held.files}
            except (OSError, ValueError) as error:
                return Stage("failed", {"type": "OSError", "message": str(error), "frames": []})
        return Stage(
            entry["status"], entry["failure"] or {}, entry["data"], entry["seconds"], arrays
        )
