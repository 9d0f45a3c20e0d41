"""The settings of a run of the matrix."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from backends_matrix.run.cards import Placement, place, visible_cards
from backends_matrix.run.cell import BACKENDS
from portable_models._cores import cores

DEFAULT_REPLICAS = 3
MOST_REPLICAS = 15
STEPS = ("never", "doubt", "always")
DEFAULT_TIMEOUT = 1800.0


@dataclass(frozen=True, kw_only=True)
class MatrixSettings:
    """The settings of a run of the matrix.

    Args:
        out: folder that gets the report, the figures and one folder per cell.
        backends: the first that is installed is the reference.
        pipelines: how samples reach Keras; the first is the reference's.
        variants: names of variants to run; empty runs all.
        data: sample, full or a path.
        epochs: number of epochs by ``experiment/variant``, ``experiment`` or ``""`` (all).
        seed: added to every recipe's seed.
        engine: compiled or keras.
        device: cpu, gpu or tpu.
        replicas: replicas per variant, which measure the noise floor: half of them, rounded up, on the
            reference, the others on the next backend that is installed.
        most_replicas: how many there may be of a variant in which a difference was found: rounding parts
            trajectories at rare events too, which a few replicas do not meet.
        steps: where single steps are judged in float64 (level 1): never, in doubt (variants in which a
            difference was found), or always.
        jobs: how many workers run at a time; None decides by the number of cores, or of cards: then one
            worker at a time computes on a card.
        timeout: seconds without a finished epoch after which a cell is given up.
        resume: keep the finished cells of an earlier run in ``out``.
        checkpoint: epochs between two checkpoints of a training, from which a resumed run continues inside
            a cell; None writes no checkpoints.
        trust: unpickle data files of unknown hash.
        setup: backend -> ``package.module:function`` called in its worker once keras is imported.
    """

    out: Path
    backends: Sequence[str] = BACKENDS
    pipelines: Sequence[str] = ("numpy",)
    variants: Sequence[str] = ()
    data: str = "sample"
    epochs: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0
    engine: str = "compiled"
    device: str = "cpu"
    replicas: int = DEFAULT_REPLICAS
    most_replicas: int = MOST_REPLICAS
    steps: str = "doubt"
    jobs: int | None = None
    timeout: float = DEFAULT_TIMEOUT
    resume: bool = False
    checkpoint: int | None = None
    trust: bool = False
    setup: Mapping[str, str] = field(default_factory=dict)

    @property
    def parallel_workers(self) -> int:
        """The number of workers that run at a time."""
        if self.device == "cpu":
            return max(1, min(len(self.backends), self.jobs or cores()))
        return max(1, min(len(self.backends), self.jobs or len(self._cards)))

    @cached_property
    def _cards(self) -> list[str]:
        return visible_cards() if self.device == "gpu" else []

    @property
    def placement(self) -> Placement:
        """Which backend computes on which card."""
        return place(self.backends, self.device, self.jobs, self._cards)

    @property
    def threads(self) -> int:
        """Bound on each worker's threads: ``OMP_NUM_THREADS`` where set, else an even share of the cores.

        It stands in the record of every cell, as sums on PyTorch depend on it.
        """
        given = os.environ.get("OMP_NUM_THREADS", "")
        if given.isdigit() and int(given):
            return int(given)
        return max(1, cores() // self.parallel_workers)
