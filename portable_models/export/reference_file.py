"""The ``.npz`` files that pass between the processes: probes, outputs, floors, gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class ReferenceFile:
    """Arrays by role, read whole.

    Args:
        path: a file with ``P/in/I``, ``P/out/J``, ``P/floor/J`` for probe P, input I and output J, and
            ``cotangent/J``, ``gradient/K``, ``gradient_floor/K``; any of these may be missing.
    """

    def __init__(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as arrays:
            self._arrays: dict[str, Array] = {key: arrays[key] for key in arrays.files}

    @property
    def probes(self) -> int:
        """The number of probes."""
        return len({key.split("/")[0] for key in self._arrays if key.split("/")[0].isdigit()})

    @property
    def cotangents(self) -> list[Array]:
        """The weights of the outputs' elements in the scalar whose gradient is taken."""
        return self._numbered("cotangent/")

    @property
    def gradients(self) -> list[Array]:
        """The gradient of each trainable weight."""
        return self._numbered("gradient/")

    @property
    def gradient_floors(self) -> list[Array]:
        """How far each gradient moves under the smallest changes, as scalars."""
        return self._numbered("gradient_floor/")

    def inputs(self, probe: int) -> list[Array]:
        """The flat inputs of a probe."""
        return self._numbered(f"{probe}/in/")

    def outputs(self, probe: int) -> list[Array]:
        """The flat outputs for a probe."""
        return self._numbered(f"{probe}/out/")

    def floors(self, probe: int) -> list[Array]:
        """How far each output moves under the smallest changes, as scalars."""
        return self._numbered(f"{probe}/floor/")

    def _numbered(self, prefix: str) -> list[Array]:
        found: list[Array] = []
        while f"{prefix}{len(found)}" in self._arrays:
            found.append(self._arrays[f"{prefix}{len(found)}"])
        return found
