"""A cell: one point of the matrix. It is planned by the parent process and run by a worker."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BACKENDS = ("jax", "tensorflow", "torch")
DEVICES = ("cpu", "gpu", "tpu")
ENGINES = ("compiled", "keras")

_LONGEST_NAME = 120
"""Characters of a folder's readable name; file systems take 255 bytes."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One variant of one experiment on one backend, with everything that decides its numbers.

    Args:
        experiment: built-in name or ``package.module:object``.
        variant: name of the variant.
        backend: jax, tensorflow or torch.
        pipeline: how samples reach Keras.
        device: cpu, gpu or tpu.
        engine: compiled or keras.
        replica: 0, or the number of a replica, whose training rounds differently at every step.
        data: sample, full or a path.
        epochs: number of epochs, or None for the recipe's own.
        seed: added to the recipe's seed.
        trust: unpickle data files of unknown hash.
    """

    experiment: str
    variant: str
    backend: str
    pipeline: str = "numpy"
    device: str = "cpu"
    engine: str = "compiled"
    replica: int = 0
    data: str = "sample"
    epochs: int | None = None
    seed: int = 0
    trust: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; ``from_json`` is the inverse."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Cell:
        """The cell that ``to_json`` wrote."""
        return cls(**value)

    @property
    def title(self) -> str:
        """The cell's name for people."""
        extras = [part for part in (self.pipeline,) if part != "numpy"]
        extras += [f"replica {self.replica}"] if self.replica else []
        return f"{self.experiment}/{self.variant} on {self.backend}" + (
            f" ({', '.join(extras)})" if extras else ""
        )

    @property
    def key(self) -> str:
        """Name of the cell's folder: readable, and different for every cell."""
        parts = (self.experiment, self.variant, self.backend, self.pipeline, f"r{self.replica}")
        readable = "-".join(
            "".join(c if c.isascii() and (c.isalnum() or c in "_.") else "_" for c in part)
            for part in parts
        )
        return f"{readable[:_LONGEST_NAME].lstrip('.')}-{self.fingerprint()[:8]}"

    def fingerprint(self) -> str:
        """SHA-256 of every field: a result belongs to a cell only if both have the same."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()
