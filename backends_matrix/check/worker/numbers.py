"""The phase ``numbers``: outputs, gradients, steps and statistics from the shared state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from backends_matrix.check.worker.compile_round_trip import compile_round_trip
from backends_matrix.check.worker.inputs import make_inputs
from backends_matrix.check.worker.loss_names import describe_loss, metric_classes
from backends_matrix.check.worker.recorder import Recorder, StageSkipped, equal
from backends_matrix.check.worker.subject import Subject, flat_arrays
from backends_matrix.check.worker.training import run_training
from backends_matrix.check.worker.training_argument import compare_ways_to_train
from portable_models._backend import current
from portable_models._keras.building import build_by_shapes
from portable_models.training.states import readable, values

Array = NDArray[Any]

MOVES = 2
"""How often a result is computed again from moved numbers."""

OTHER_SIZES = (4, 8, 5, 7)
"""The second set of sizes for free axes."""


def run_numbers(subject: Subject, recorder: Recorder, command: Mapping[str, Any]) -> None:
    """Compute everything that backends are compared in."""
    subject.take_shared(Path(command["shared"]))
    with recorder.stage("forward") as found:
        outputs = _forward(subject)
        found["@outputs"] = flat_arrays(outputs)
        if not subject.double:
            found["@move"] = _forward_moves(subject, found["@outputs"])
    if recorder.failed("forward"):
        return
    if not subject.double:
        with recorder.stage("repeat") as found:
            same, difference = equal(found_outputs(subject), found_outputs(subject))
            found |= {"same": same, "difference": difference}
    with recorder.stage("sizes") as found:
        found["@outputs"] = _other_sizes(subject)
    with recorder.stage("gradients") as found:
        found |= _gradients(subject)
    if not subject.double:
        with recorder.stage("training argument") as found:
            found |= compare_ways_to_train(subject)
    run_training(subject, recorder)
    if not subject.double:
        with recorder.stage("config") as found:
            found |= _round_trip(subject)
        with recorder.stage("compile config") as found:
            compile_round_trip(subject, found)


def found_outputs(subject: Subject) -> list[Array]:
    """Outputs of the eager forward pass from the shared state."""
    return flat_arrays(_forward(subject))


def _forward(subject: Subject, x: Any = None) -> Any:
    outputs = subject.model(subject.tensors(subject.x if x is None else x), training=False)
    subject.restore()
    return outputs


def _forward_moves(subject: Subject, outputs: list[Array]) -> list[Array]:
    """How far each output moves when every number that goes in moves by one unit in the last place."""
    largest = [0.0] * len(outputs)
    for number in range(MOVES):
        x, weights = subject.moved(number)
        subject.put(subject.model, weights)
        largest = widest(largest, outputs, flat_arrays(_forward(subject, x)))
    return [np.array(each) for each in largest]


def widest(largest: list[float], one: list[Array], other: list[Array]) -> list[float]:
    """The larger of known distances and those between two lists of arrays."""
    return [
        max(known, distance(first, second))
        for known, first, second in zip(largest, one, other, strict=True)
    ]


def distance(first: Array, second: Array) -> float:
    """The largest absolute difference; infinite where shapes or the places of NaN differ."""
    if first.shape != second.shape:
        return float("inf")
    if first.dtype.kind not in "fc":
        return float(np.count_nonzero(first != second))
    with np.errstate(invalid="ignore"):
        between = np.abs(first.astype(np.float64) - second.astype(np.float64))
    return float(np.nanmax(between, initial=0.0))


def _other_sizes(subject: Subject) -> list[Array]:
    if subject.sample or subject.loaded.extra("example_inputs") is not None:
        raise StageSkipped("the inputs are given, so no other sizes can be made")
    x = make_inputs(subject.loaded, subject.model, None, subject.seed + 1, OTHER_SIZES)
    shapes = [leaf.shape for leaf in keras.tree.flatten(x)]
    if shapes == [leaf.shape for leaf in keras.tree.flatten(subject.x)]:
        raise StageSkipped("no axis but the batch is free")
    try:
        return flat_arrays(subject.model(subject.tensors(x), training=False))
    finally:
        subject.restore()


def _gradients(subject: Subject) -> dict[str, Any]:
    """Training-mode outputs, loss, gradients and statistics of one step, from the shared state."""
    model = subject.model
    if subject.y is None:
        raise StageSkipped("the model has no loss on targets; its own training step is run instead")
    if not model.trainable_variables:
        raise StageSkipped("the model has no trainable weights")
    subject.compile(model)
    if type(model).train_step is not keras.Model.train_step and model.loss is None:
        raise StageSkipped(
            "the loss is computed inside the model's own train_step, which is run instead"
        )
    x, y = subject.tensors(subject.x), subject.tensors(subject.y)
    build_by_shapes(model, (x, y))
    subject.restore()
    first = training_step(subject, x, y)
    found: dict[str, Any] = {f"@{name}": arrays for name, arrays in first.items()}
    found["names"] = [each.path for each in subject.trainable(model)]
    found["statistics_names"] = [each.path for each in subject.statistics(model)]
    if subject.double:
        return found
    if model.loss is not None:
        found["loss"] = describe_loss(model, x, y, subject.loaded.root)
        subject.restore()
    found["metrics"] = metric_classes(model)
    again = training_step(subject, x, y)
    differences = {name: equal(first[name], again[name]) for name in first}
    found["same"] = all(same for same, _ in differences.values())
    found["difference"] = max(difference for _, difference in differences.values())
    return found | step_moves(subject, first, y, range(MOVES))


def step_moves(
    subject: Subject, first: Mapping[str, list[Array]], y: Any, numbers: Iterable[int]
) -> dict[str, list[Array]]:
    """How far each array of a step moves when every number that goes in moves by one unit in the last place.

    Args:
        subject: its model is built and compiled.
        first: what ``training_step`` gave without a movement.
        y: targets, as tensors.
        numbers: of the movements; each is another one.
    """
    largest = {name: [0.0] * len(arrays) for name, arrays in first.items()}
    for number in numbers:
        moved_x, weights = subject.moved(number)
        subject.put(subject.model, weights)
        other = training_step(subject, subject.tensors(moved_x), y)
        largest = {
            name: widest(largest[name], arrays, other[name]) for name, arrays in first.items()
        }
    return {f"@move.{name}": [np.array(v) for v in each] for name, each in largest.items()}


def training_step(subject: Subject, x: Any, y: Any) -> dict[str, list[Array]]:
    """Outputs, loss, gradients and statistics of one step, after which the model is as it was."""
    model = subject.model
    made = current().gradients(model, x, y, None)
    places = subject.order.places(model.trainable_variables)
    found = {
        "outputs": flat_arrays(made.outputs),
        "loss": [np.array(made.loss)],
        "gradients": [readable(made.gradients[place]) for place in places],
        "statistics": values(subject.statistics(model)),
    }
    subject.restore()
    return found


def _round_trip(subject: Subject) -> dict[str, Any]:
    """Outputs of the model after its configuration went through JSON and back."""
    model = subject.model
    subject.restore()
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(model), safe_mode=True
    )
    x = subject.tensors(subject.x)
    if not copy.built:
        copy(x, training=False)
    before, after = len(model.variables), len(copy.variables)
    if before != after:
        raise ValueError(
            f"the model made of its own configuration has {after} variables instead of {before}"
        )
    subject.put(copy, subject.start)
    mine, other = found_outputs(subject), flat_arrays(copy(x, training=False))
    same, difference = equal(mine, other)
    return {
        "same": same,
        "difference": difference,
        "scale": max(
            (float(np.max(np.abs(each), initial=0)) for each in mine if each.dtype.kind == "f"),
            default=0.0,
        ),
    }
