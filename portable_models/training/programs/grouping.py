"""The groups of trainings that share compiled programs."""

from __future__ import annotations

from collections.abc import Sequence
from types import NoneType
from typing import Any

import keras
import numpy as np

from portable_models._backend import current
from portable_models._backend.program import (
    NotCompilableError,
    OnDevice,
    Pass,
    Program,
    variables_of,
)
from portable_models._keras.building import build_by_shapes
from portable_models.data.samples import (
    ArraySamples,
    MultiHotSamples,
    Samples,
    arrays_of,
    map_arrays,
)
from portable_models.random import portable_random
from portable_models.training.engines.engine import Job
from portable_models.training.identity import program_key
from portable_models.training.programs.group import Group
from portable_models.training.programs.kernel_sum import (
    Bags,
    bag_rows,
    bags_in_order,
    cut,
    first_dense,
)
from portable_models.training.programs.rows import Rows, first_batch, rows_of


def build(job: Job) -> None:
    """Build a model, its loss, metrics and optimizer as ``Model.fit`` does; nothing is drawn or computed.

    Raises:
        Exception: whatever the model's own code raises.
    """
    with portable_random(job.settings.seed):
        batch = first_batch(job.rows, job.settings.batch_size, job.settings.class_weight)
        build_by_shapes(job.model, batch)


def grouped(jobs: Sequence[Job]) -> list[Group]:
    """Jobs with the programs that train them; side by side where nobody watches every epoch."""
    groups: dict[Any, Group] = {}
    # A program is traced over the first job's model, and takes bags on the way to that one's layer.
    programs: dict[Any, tuple[Program, Bags | None]] = {}
    loaded: dict[Any, OnDevice] = {}
    read = [_what_is_read(job, len(jobs) > 1) for job in jobs]
    blocks: dict[Any, tuple[Rows, Rows | None, Bags]] = {}
    for number, job in enumerate(jobs):
        bags = _bags(job)
        if bags is not None:
            # All seeds of one data set lie in blocks alike, or each would need a program of its own. A batch
            # goes to the layer of the model that the program is traced over.
            place = (program_key(job.model), read[number])
            if place not in blocks:
                alike = [each for each, key in zip(jobs, read, strict=True) if key == read[number]]
                blocks[place] = (*_as_blocks(alike, bags), bags)
            training, validation, bags = blocks[place]
        else:
            training = _rows(job.rows, job.settings.class_weight)
            validation = None if job.validation is None else _rows(job.validation)
        same_rows = read[number]
        if same_rows not in loaded:
            loaded[same_rows] = OnDevice(
                current().to_device(training.arrays),
                None if validation is None else current().to_device(validation.arrays),
                None if validation is None else current().to_device(_in_order(validation, job)),
            )
        kind = (
            program_key(job.model),
            *((each.kind, each.count) for each in (training, validation) if each is not None),
        )
        if kind not in programs:
            program = current().program(
                job.model,
                _pass(training, len(job.order(0)), job.settings.batch_size),
                None
                if validation is None
                else _pass(validation, validation.count, job.settings.validation_batch_size),
                epochs=len(jobs) * job.settings.epochs,
            )
            programs[kind] = program, bags
        shapes = [
            (tuple(array.shape), str(array.dtype))
            for each in (training, validation)
            if each is not None
            for array in keras.tree.flatten(each.arrays)
        ]
        by_epoch = bool(job.settings.callbacks) or not job.settings.validates_always
        alone = number if by_epoch else None
        # A training that goes on from a checkpoint may not be where the others are.
        begun = 0 if job.keeper is None else job.keeper.done
        key = (kind, tuple(shapes), alone, begun)
        group = groups.setdefault(key, Group([], [], [], *programs[kind]))
        group.jobs.append(job)
        group.rows.append(training)
        group.on_device.append(loaded[same_rows])
        group.variables.append(variables_of(job.model))
    return list(groups.values())


def _bags(job: Job) -> Bags | None:
    """The way for bags of words, where all samples are such and the model can take them."""
    if not isinstance(job.samples, MultiHotSamples) or not isinstance(
        job.validation, (MultiHotSamples, NoneType)
    ):
        return None
    layer = first_dense(job.model, job.samples.dimension)
    return None if layer is None else Bags(layer)


def _what_is_read(job: Job, several: bool) -> tuple[Any, ...]:
    """Equal for jobs that read the same: seeds often come with copies of one data set."""
    settings = job.settings
    parts = [
        (part.digest(), _structure(part))
        if part is not None and several and _is_numeric(part)
        else id(part)
        for part in (job.samples, job.validation)
    ]
    weights = sorted((settings.class_weight or {}).items())
    return (*parts, settings.batch_size, settings.validation_batch_size, tuple(weights))


def _structure(part: Samples) -> str:
    """Which array is which; a digest is of the arrays alone, in their order."""
    if not isinstance(part, ArraySamples):
        return ""
    return str(map_arrays(lambda array: np.array(array.ndim), (part.x, part.y, part.sample_weight)))


def _is_numeric(part: Any) -> bool:
    """Whether samples can be digested; what holds other things than numbers is not compiled."""
    if isinstance(part, ArraySamples):
        structures = (part.x, part.y, part.sample_weight)
        return all(np.asarray(array).dtype.kind in "biuf" for array in arrays_of(structures))
    return isinstance(part, MultiHotSamples)


def _as_blocks(jobs: Sequence[Job], bags: Bags) -> tuple[Rows, Rows | None]:
    job = jobs[0]
    settings, samples, held_out = job.settings, job.samples, job.validation
    assert isinstance(samples, MultiHotSamples)
    batches = (
        batch
        for each in jobs
        for epoch in range(settings.epochs)
        for batch in cut(each.order(epoch), settings.batch_size)
    )
    training = bag_rows(samples, settings.class_weight, batches, bags)
    if held_out is None:
        return training, None
    assert isinstance(held_out, MultiHotSamples)
    return training, bags_in_order(held_out, settings.validation_batch_size, bags)


def _pass(rows: Rows, count: int, batch_size: int) -> Pass:
    whole = rows.width(batch_size) if count >= batch_size else 0
    return Pass(rows.gather, count, batch_size, whole)


def _in_order(rows: Rows, job: Job) -> Any:
    return rows.order(np.arange(rows.count), job.settings.validation_batch_size)


def _rows(samples: Any, class_weight: Any = None) -> Rows:
    found = rows_of(samples, class_weight)
    if found is None:
        raise NotCompilableError("the samples hold other things than numbers")
    return found
