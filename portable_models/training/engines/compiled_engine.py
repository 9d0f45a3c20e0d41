"""``engine="compiled"``: whole epochs as one compiled program, over Keras's own training step.

The step is the model's ``train_step``, so losses, metrics, optimizer, regularizers, seeded layers and a
``train_step`` or ``compute_loss`` of the user's own mean what they mean to ``Model.fit``. What is saved is
the way from Python to the device and back at every step. What it takes is the list in ``allowed.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from portable_models._backend.program import NotCompilableError, tracing
from portable_models.training.background import BackgroundWork
from portable_models.training.engines.allowed import (
    not_worth_it,
    unfit_callbacks,
    unfit_data,
    unfit_model,
    unfit_settings,
)
from portable_models.training.engines.engine import Job
from portable_models.training.programs.batch_digests import read_digests
from portable_models.training.programs.group import Group
from portable_models.training.programs.grouping import build, grouped

_BEFORE_BUILDING = (unfit_data, unfit_callbacks, unfit_settings)


class CompiledEngine:
    """Drives whole epochs on the device."""

    name = "compiled"

    def __init__(self) -> None:
        self.compile_seconds = 0.0
        self.does_not_pay = False
        self._jobs: Sequence[Job] = ()
        self._groups: list[Group] = []

    def refuses(self, jobs: Sequence[Job]) -> str:
        """Why these jobs cannot be compiled, as far as is known before."""
        for rule in _BEFORE_BUILDING:
            if reason := next(filter(None, map(rule, jobs)), ""):
                return reason
        if reason := not_worth_it(jobs):
            self.does_not_pay = True
            return reason
        self._jobs = jobs
        return self._timed(self._group)

    def read(self, work: BackgroundWork) -> list[Callable[[], list[str]]]:
        """What the programs read from the device, in the way in which they read it."""
        reading = {
            id(job): (rows, on_device.training, job.order(0), job.settings.batch_size)
            for group in self._groups
            for job, rows, on_device in zip(group.jobs, group.rows, group.on_device, strict=True)
        }
        return [work.submit(read_digests, *reading[id(job)]) for job in self._jobs]

    def compile(self) -> str:
        """Compile the programs of all groups; why one cannot be."""
        return self._timed(self._prepare)

    def _timed(self, work: Callable[[], None]) -> str:
        started = time.perf_counter()
        try:
            work()
        except NotCompilableError as refusal:
            return str(refusal)
        self.compile_seconds += time.perf_counter() - started
        return ""

    def _group(self) -> None:
        for job in self._jobs:
            with tracing("the model"):
                build(job)
        if reason := next(filter(None, map(unfit_model, self._jobs)), ""):
            raise NotCompilableError(reason)
        self._groups = grouped(self._jobs)

    def _prepare(self) -> None:
        for group in self._groups:
            group.prepare()

    def failure(self, job: Job) -> str:
        """Why ``Model.fit`` finished a job that a program began; empty where it did not."""
        return next((group.failure for group in self._groups if job in group.jobs), "")

    def apart_because(self, job: Job) -> str:
        """Why a job is trained by itself though others could be trained with it; empty elsewhere."""
        group = next((group for group in self._groups if job in group.jobs), None)
        if group is None or len(self._jobs) == 1:
            return ""
        if len(group.jobs) > 1:
            return group.program.apart_because
        if job.settings.callbacks or not job.settings.validates_always:
            return "callbacks watch its epochs, or validation is not after each of them"
        return "no other member has its program, the shapes of its samples and its place in a checkpoint"

    def run(self, jobs: Sequence[Job]) -> None:
        """Train every job; those that are alike side by side, where the backend can."""
        del jobs  # they are grouped already
        for group in self._groups:
            group.run()
