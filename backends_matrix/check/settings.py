"""What a check is run with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backends_matrix.run.cell import BACKENDS

DEFAULT_TIMEOUT = 120.0
DEFAULT_REDUCE_TIME = 60.0
DEFAULT_MEMORY = 4 << 30


@dataclass(frozen=True)
class CheckSettings:
    """How targets are checked.

    Args:
        backends: which of jax, tensorflow and torch.
        sample: path of an ``.npz`` file with inputs (``x``, ``x/NAME`` or ``x0, x1 …``) and targets (``y``).
        expected: check name, or ``name@backend``, to the reason why it may fail.
        strict: an expected failure that passes is a failure.
        trust: run the code inside of a ``.keras`` file (Lambda).
        allow: packages whose classes a ``.keras`` file may name.
        timeout: seconds that one stage of one backend may take.
        memory: bytes that a target may allocate beyond what its framework needs.
        export: also export to every target and verify it there.
        reduce: folder for scripts that reproduce failures; None writes none.
        reduce_time: seconds that the search for one such script may take.
        device: cpu, gpu or tpu: where the backends compute; the judges in float64 always compute on the CPU.
        jobs: processes that compute at a time; None is one for each core, and one on a card.
        threads: threads of each.
        seed: of weights, inputs and everything else that is drawn.
    """

    backends: tuple[str, ...] = tuple(BACKENDS)
    sample: Path | None = None
    expected: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    trust: bool = False
    allow: tuple[str, ...] = ()
    timeout: float = DEFAULT_TIMEOUT
    memory: int = DEFAULT_MEMORY
    export: bool = False
    reduce: Path | None = None
    reduce_time: float = DEFAULT_REDUCE_TIME
    device: str = "cpu"
    jobs: int | None = None
    threads: int = 1
    seed: int = 0
