"""Trainings that one compiled program runs side by side."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from portable_models._backend import current
from portable_models._backend.memory import aligned
from portable_models._backend.program import (
    OnDevice,
    Part,
    Program,
    ProgramFailedError,
    State,
    variables_of,
)
from portable_models.random import portable_random
from portable_models.training.engines.engine import Job
from portable_models.training.engines.held_callbacks import HeldCallbacks
from portable_models.training.engines.keras_engine import finish_by_epoch
from portable_models.training.programs.kernel_sum import Bags
from portable_models.training.programs.rows import Rows

CHUNK_SECONDS = 0.5
"""How long a program runs before the epochs that it went through are reported, about."""
CHUNK_EPOCHS = 64
"""At most this many epochs at once: their orders are on the device."""


@dataclass
class Group:
    """Jobs that are trained side by side."""

    jobs: list[Job]
    rows: list[Rows]
    on_device: list[OnDevice]
    program: Program
    bags: Bags | None = None
    variables: list[list[Any]] = field(default_factory=list)
    """Those of each job's model, in the order in which its states are given to the program."""
    failure: str = ""
    """Why ``Model.fit`` finished what the program began; empty where it did not."""
    _traced_variables: list[tuple[int, bool]] = field(default_factory=list)
    _ahead: Sequence[State] | None = None
    """States that the models do not have yet: to assign them costs more than an epoch of small members."""

    @property
    def chunk(self) -> int:
        """How many epochs one call of the program runs at most: one where callbacks watch each."""
        return 1 if self._by_epoch else min(self.jobs[0].settings.epochs, CHUNK_EPOCHS)

    @property
    def _by_epoch(self) -> bool:
        """Whether something happens between the passes of an epoch, so that they are called apart."""
        job = self.jobs[0]
        partly = job.validation is not None and not job.settings.validates_always
        return bool(job.settings.callbacks) or partly

    def states(self) -> Sequence[State]:
        """The state of every job."""
        if self._ahead is not None:
            return self._ahead
        return [[variable.value for variable in each] for each in self.variables]

    def orders(self, first: int, count: int) -> Any:
        """The places of each epoch, int32 of shape ``(jobs, chunk, places)``; zeros after ``count``."""
        size = self.jobs[0].settings.batch_size
        width = self.rows[0].pass_width(len(self.jobs[0].order(0)), size)
        orders = aligned((len(self.jobs), self.chunk, width), np.int32)
        for job, rows, places in zip(self.jobs, self.rows, orders, strict=True):
            for number in range(count):
                places[number] = rows.order(job.order(first + number), size)
        return orders

    def until_due(self, epoch: int) -> int:
        """How many epochs may run before a checkpoint is due."""
        keepers = [job.keeper for job in self.jobs if job.keeper is not None]
        return min((keeper.epochs_until_due(epoch) for keeper in keepers), default=self.chunk)

    def prepare(self) -> None:
        """Compile."""
        self._traced_variables = [
            (id(each), each.trainable) for each in variables_of(self.jobs[0].model)
        ]
        with self._traced():
            for part in self._parts():
                self.program.prepare(self.states(), self.on_device, self.orders(0, 0), part)

    def _parts(self) -> tuple[Part, ...]:
        if not self._by_epoch:
            return (Part.BOTH,)
        held_out = self.jobs[0].validation is not None
        return (Part.TRAINING, Part.VALIDATION) if held_out else (Part.TRAINING,)

    def run(self) -> None:
        """Train, some epochs at a time."""
        callbacks = [HeldCallbacks.of(job, job.model) for job in self.jobs]
        with self._traced():
            for job, each in zip(self.jobs, callbacks, strict=True):
                job.model.stop_training = False
                each.begin()
            logs: Sequence[dict[str, Any]] = [{} for _ in self.jobs]
            epoch, epochs, count = self.jobs[0].done, self.jobs[0].settings.epochs, 1
            try:
                while epoch < epochs and not any(job.model.stop_training for job in self.jobs):
                    started = time.perf_counter()
                    logs = self._advance(callbacks, epoch, count)
                    seconds = max(time.perf_counter() - started, 1e-6)
                    epoch += count
                    # Only how often something is reported depends on the clock.
                    count = max(1, min(int(CHUNK_SECONDS / seconds * count), 4 * count))
                    count = min(count, self.chunk, epochs - epoch, self.until_due(epoch))
            except ProgramFailedError as failure:
                self._settle()
                self._hand_over(callbacks, str(failure))
                return
            finally:
                self._settle()
            for job, each, latest in zip(self.jobs, callbacks, logs, strict=True):
                job.model.optimizer.finalize_variable_values(job.model.trainable_weights)
                each.end(latest)

    @contextlib.contextmanager
    def _traced(self) -> Iterator[None]:
        """Inside, what is traced draws portable numbers and takes bags of words as they are."""
        with (
            portable_random(self.jobs[0].settings.seed),
            self.bags.taken() if self.bags else contextlib.nullcontext(),
        ):
            yield

    def _advance(
        self, callbacks: Sequence[HeldCallbacks], first: int, count: int
    ) -> Sequence[dict[str, Any]]:
        if self._by_epoch:
            return [
                self._one_epoch(job, each, first)
                for job, each in zip(self.jobs, callbacks, strict=True)
            ]
        states, logs = self.program.run(
            self.states(), self.on_device, self.orders(first, count), count
        )
        epochs = [
            [{name: float(values[number]) for name, values in found.items()} for found in logs]
            for number in range(count)
        ]
        try:
            self._ahead = states
            if len(self.jobs) == 1 or any(job.keeper is not None for job in self.jobs):
                self._settle()
            for number, metrics in enumerate(epochs):
                for job, each, found in zip(self.jobs, callbacks, metrics, strict=True):
                    _report(job, each, first + number, found)
        except KeyboardInterrupt:
            # The epochs have run: models and histories leave off at the same place.
            self._ahead = states
            for number, metrics in enumerate(epochs):
                for job, found in zip(self.jobs, metrics, strict=True):
                    if job.done <= first + number:
                        job.add(dict(sorted(found.items())))
            raise
        return epochs[-1]

    def _one_epoch(self, job: Job, callbacks: HeldCallbacks, epoch: int) -> dict[str, Any]:
        """One epoch with every hook where ``Model.fit`` calls it, and the variables as they are there."""
        job.model.reset_metrics()
        callbacks.on_epoch_begin(epoch)
        if not self._has_its_variables(job):
            callbacks.epoch_has_begun(epoch)
            raise ProgramFailedError("a callback changed which variables are trained")
        watched = _watches_nan(job)
        validates = job.validation is not None and job.settings.validates_after(epoch)
        before = self._copies() if watched or validates else []
        try:
            logs = self._pass(Part.TRAINING, epoch)
            if watched and not np.isfinite(logs.get("loss", 0.0)):
                # Keras stops at the batch where it happens: the epoch is repeated there.
                raise ProgramFailedError(
                    "the loss is not a number, and TerminateOnNaN wants the batch"
                )
            if validates:
                callbacks.on_test_begin()
                job.model.reset_metrics()
                measured = self._pass(Part.VALIDATION, epoch)
                callbacks.on_test_end({name[4:]: value for name, value in measured.items()})
                logs |= measured
        except ProgramFailedError:
            # The epoch is repeated from its begin, which the callbacks have seen. A program that fails leaves
            # the variables as they were before the pass, which may have been the second one.
            if before:
                self._take([before])
            callbacks.epoch_has_begun(epoch)
            raise
        callbacks.on_epoch_end(epoch, logs)
        job.keep(epoch, _recorded(job))
        return logs

    def _copies(self) -> State:
        """The values of the one job's variables, which nobody else changes."""
        return [keras.ops.copy(each.value) for each in self.variables[0]]

    def _has_its_variables(self, job: Job) -> bool:
        """Whether the model trains the variables that the program was made for."""
        now = [(id(each), each.trainable) for each in variables_of(job.model)]
        return now == self._traced_variables

    def _pass(self, part: Part, epoch: int) -> dict[str, Any]:
        orders = self.orders(epoch, 1)
        states, (logs,) = self.program.run(self.states(), self.on_device, orders, 1, part)
        self._take(states)
        return {name: float(values[0]) for name, values in sorted(logs.items())}

    def _settle(self) -> None:
        """Give the models the states that the program is ahead of them."""
        if self._ahead is not None:
            self._take(self._ahead)
            self._ahead = None

    def _take(self, states: Sequence[State]) -> None:
        for variables, state in zip(self.variables, states, strict=True):
            for variable, value in zip(variables, state, strict=True):
                variable.assign(value)

    def _hand_over(self, callbacks: Sequence[HeldCallbacks], reason: str) -> None:
        """Finish on ``Model.fit``, from the begin of the epoch that did not end."""
        self.failure = f"Model.fit finished the training: {reason}"
        if "TerminateOnNaN" not in reason:
            warnings.warn(
                f"the compiled program failed while it ran ({reason}); Model.fit finishes the training",
                NotCompiledWarning,
                stacklevel=2,
            )
        for job, each in zip(self.jobs, callbacks, strict=True):
            with current().logs_kept(job.model):
                logs = finish_by_epoch(job, each)
            each.end(logs)


class NotCompiledWarning(UserWarning):
    """A training that was to be compiled runs on ``Model.fit``; the message says why."""


def _watches_nan(job: Job) -> bool:
    return any(isinstance(each, keras.callbacks.TerminateOnNaN) for each in job.settings.callbacks)


def _recorded(job: Job) -> dict[str, Any]:
    """The epoch in Keras's own record, since callbacks such as a scheduler add to the logs."""
    return {
        name: points[-1]
        for name, points in job.model.history.history.items()
        if len(points) > len(job.history.get(name, ()))
    }


def _report(job: Job, callbacks: HeldCallbacks, epoch: int, metrics: Any) -> None:
    """Tell Keras's own callbacks for history and progress of an epoch that has run."""
    # Keras's history has its names in this order.
    logs = dict(sorted(metrics.items()))
    callbacks.on_epoch_begin(epoch)
    callbacks.on_epoch_end(epoch, logs)
    job.keep(epoch, logs)
