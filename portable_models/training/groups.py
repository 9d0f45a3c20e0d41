"""Trainings that one compiled program goes through side by side."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

import keras
import numpy as np

from portable_models._backend import current
from portable_models._backend.memory import aligned
from portable_models._backend.program import OnDevice, Pass, Program, State, variables_of
from portable_models.data.samples import MultiHotSamples
from portable_models.random import portable_random
from portable_models.training.engine import Job
from portable_models.training.keras_engine import VALIDATION_BATCH, OneTraining
from portable_models.training.kernel_sum import Bags, bag_rows, bags_in_order, cut, first_dense
from portable_models.training.rows import Rows, first_row, rows_of

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

    @property
    def chunk(self) -> int:
        """How many epochs the program takes at most: one where a callback wants to see each."""
        recipe = self.jobs[0].recipe
        return 1 if recipe.callbacks else min(recipe.epochs, CHUNK_EPOCHS)

    def states(self) -> list[State]:
        """Where every job stands."""
        return [[variable.value for variable in variables_of(job.model)] for job in self.jobs]

    def orders(self, first: int, count: int) -> Any:
        """The places of each epoch, int32 of shape ``(jobs, chunk, places)``; zeros after ``count``."""
        size = self.jobs[0].recipe.batch_size
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
        with self._traced():
            self.program.prepare(self.states(), self.on_device, self.orders(0, 0))

    def run(self) -> None:
        """Train, some epochs at a time."""
        with self._traced():
            callbacks = [OneTraining.of(job, job.model) for job in self.jobs]
            for job, each in zip(self.jobs, callbacks, strict=True):
                job.model.stop_training = False
                each.begin()
            epoch, epochs, count = self.jobs[0].done, self.jobs[0].recipe.epochs, 1
            while epoch < epochs and not any(job.model.stop_training for job in self.jobs):
                started = time.perf_counter()
                self._advance(callbacks, epoch, count)
                seconds = max(time.perf_counter() - started, 1e-6)
                epoch += count
                # Only how often something is reported depends on the clock.
                count = max(1, min(int(CHUNK_SECONDS / seconds * count), 4 * count))
                count = min(count, self.chunk, epochs - epoch, self.until_due(epoch))
            for job, each in zip(self.jobs, callbacks, strict=True):
                job.model.optimizer.finalize_variable_values(job.model.trainable_weights)
                each.end()

    @contextlib.contextmanager
    def _traced(self) -> Iterator[None]:
        """Whatever is traced inside draws portable numbers, and takes bags of words as they are."""
        with (
            portable_random(self.jobs[0].recipe.seed),
            self.bags.taken() if self.bags else contextlib.nullcontext(),
        ):
            yield

    def _advance(self, callbacks: Sequence[OneTraining], first: int, count: int) -> None:
        if self.chunk == 1:
            for each in callbacks:
                each.on_epoch_begin(first)
        states, logs = self.program.run(
            self.states(), self.on_device, self.orders(first, count), count
        )
        epochs = [
            [{name: float(values[number]) for name, values in found.items()} for found in logs]
            for number in range(count)
        ]
        try:
            self._take(states)
            for number, metrics in enumerate(epochs):
                for job, each, found in zip(self.jobs, callbacks, metrics, strict=True):
                    self._report(job, each, first + number, found)
        except KeyboardInterrupt:
            # The epochs have run: models and histories leave off at the same place.
            self._take(states)
            for number, metrics in enumerate(epochs):
                for job, found in zip(self.jobs, metrics, strict=True):
                    if job.done <= first + number:
                        job.add(found)
            raise

    def _take(self, states: Sequence[State]) -> None:
        for job, state in zip(self.jobs, states, strict=True):
            for variable, value in zip(variables_of(job.model), state, strict=True):
                variable.assign(value)

    def _report(self, job: Job, callbacks: OneTraining, epoch: int, metrics: Any) -> None:
        if self.chunk > 1:
            callbacks.on_epoch_begin(epoch)
        if job.validation is not None:
            callbacks.on_test_begin()
            callbacks.on_test_end(
                {name[4:]: value for name, value in metrics.items() if name.startswith("val_")}
            )
        callbacks.on_epoch_end(epoch, metrics)
        # Keras's own record, since callbacks such as a scheduler add to the logs.
        latest = {name: float(points[-1]) for name, points in job.model.history.history.items()}
        job.keep(epoch, latest)


def grouped(jobs: Sequence[Job]) -> list[Group]:
    """Jobs with the programs that train them; side by side where nobody watches every epoch."""
    groups: dict[Any, Group] = {}
    # A program is traced over the first job's model, and takes bags on the way to that one's layer.
    programs: dict[Any, tuple[Program, Bags | None]] = {}
    loaded: dict[Any, OnDevice] = {}
    for number, job in enumerate(jobs):
        job.model._symbolic_build(data_batch=first_row(job.samples, job.recipe.class_weight))
        bags = _bags(job)
        if bags is not None:
            training, validation = _as_blocks(job, bags)
        else:
            training = _rows(job.samples, job.recipe.class_weight)
            validation = None if job.validation is None else _rows(job.validation)
        same_rows = (id(job.samples), id(job.validation))
        if same_rows not in loaded:
            loaded[same_rows] = OnDevice(
                current().to_device(training.arrays),
                None if validation is None else current().to_device(validation.arrays),
                None if validation is None else current().to_device(_in_order(validation)),
            )
        kinds = [(each.kind, each.count) for each in (training, validation) if each is not None]
        kind = tuple(kinds)
        if kind not in programs:
            program = current().program(
                job.model,
                _pass(training, len(job.order(0)), job.recipe.batch_size),
                None
                if validation is None
                else _pass(validation, validation.count, VALIDATION_BATCH),
                epochs=len(jobs) * job.recipe.epochs,
            )
            programs[kind] = program, bags
        shapes = [
            (tuple(array.shape), str(array.dtype))
            for each in (training, validation)
            if each is not None
            for array in keras.tree.flatten(each.arrays)
        ]
        alone = number if job.recipe.callbacks else None
        # A training that goes on from a checkpoint may not be where the others are.
        begun = 0 if job.keeper is None else job.keeper.done
        key = (kind, tuple(shapes), alone, begun)
        group = groups.setdefault(key, Group([], [], [], *programs[kind]))
        group.jobs.append(job)
        group.rows.append(training)
        group.on_device.append(loaded[same_rows])
    return list(groups.values())


def _bags(job: Job) -> Bags | None:
    """The way for bags of words, where all samples are such and the model can take them."""
    if not isinstance(job.samples, MultiHotSamples) or not isinstance(
        job.validation, (MultiHotSamples, NoneType)
    ):
        return None
    layer = first_dense(job.model, job.samples.dimension)
    return None if layer is None else Bags(layer)


def _as_blocks(job: Job, bags: Bags) -> tuple[Rows, Rows | None]:
    recipe, samples, held_out = job.recipe, job.samples, job.validation
    assert isinstance(samples, MultiHotSamples)
    batches = (
        batch
        for epoch in range(recipe.epochs)
        for batch in cut(job.order(epoch), recipe.batch_size)
    )
    training = bag_rows(samples, recipe.class_weight, batches, bags)
    if held_out is None:
        return training, None
    assert isinstance(held_out, MultiHotSamples)
    return training, bags_in_order(held_out, VALIDATION_BATCH, bags)


def _pass(rows: Rows, count: int, batch_size: int) -> Pass:
    whole = rows.width(batch_size) if count >= batch_size else 0
    return Pass(rows.gather, count, batch_size, whole)


def _in_order(rows: Rows) -> Any:
    return rows.order(np.arange(rows.count), VALIDATION_BATCH)


def _rows(samples: Any, class_weight: Any = None) -> Rows:
    found = rows_of(samples, class_weight)
    if found is None:
        raise ValueError("the samples hold other things than numbers")
    return found
