"""``engine="compiled"``: whole epochs as one compiled program, over Keras's own training step.

The step is the model's ``train_step``, so losses, metrics, optimizer, regularizers, seeded layers and a
``train_step`` or ``compute_loss`` of the user's own mean what they mean to ``Model.fit``. What is saved is
the way from Python to the device and back at every step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from portable_models._backend import current
from portable_models.training.beside import Beside
from portable_models.training.delivery import read_digests
from portable_models.training.engine import Job
from portable_models.training.groups import Group, grouped
from portable_models.training.refusals import unfit


class CompiledEngine:
    """Drives whole epochs on the device."""

    name = "compiled"

    def __init__(self) -> None:
        self.compile_seconds = 0.0
        self._jobs: Sequence[Job] = ()
        self._groups: list[Group] = []

    def refuses(self, jobs: Sequence[Job]) -> str:
        """Why these jobs cannot be compiled, as far as is known before."""
        if reason := current().refuses_programs() or next(filter(None, map(unfit, jobs)), ""):
            return reason
        self._jobs = jobs
        return self._timed(self._group)

    def read(self, aside: Beside) -> list[Callable[[], list[str]]]:
        """What the programs read from the device, in the way in which they read it."""
        reading = {
            id(job): (rows, on_device.training, job.order(0), job.recipe.batch_size)
            for group in self._groups
            for job, rows, on_device in zip(group.jobs, group.rows, group.on_device, strict=True)
        }
        return [aside.leave(read_digests, *reading[id(job)]) for job in self._jobs]

    def compile(self) -> str:
        """Compile the programs of all groups; why one cannot be."""
        return self._timed(self._prepare)

    def _timed(self, work: Callable[[], None]) -> str:
        started = time.perf_counter()
        try:
            work()
        except Exception as error:
            # Whatever a framework raises on what it cannot trace; where the mistake is the user's, Model.fit
            # raises too.
            first = next(filter(None, str(error).splitlines()), "")
            return f"{type(error).__name__}: {first.strip()}"
        self.compile_seconds += time.perf_counter() - started
        return ""

    def _group(self) -> None:
        self._groups = grouped(self._jobs)

    def _prepare(self) -> None:
        for group in self._groups:
            group.prepare()

    def run(self, jobs: Sequence[Job]) -> None:
        """Train every job; those that are alike side by side, where the backend can."""
        del jobs  # they are grouped already
        for group in self._groups:
            group.run()
