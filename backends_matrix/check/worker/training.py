"""``fit`` as a model's first call, a single step, evaluation, prediction, files and pipelines."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from backends_matrix.check.worker.batches import batch_of, first_tensors
from backends_matrix.check.worker.heard_warnings import heard_warnings
from backends_matrix.check.worker.leaks import leaked_tensors
from backends_matrix.check.worker.mixed import run_mixed
from backends_matrix.check.worker.pipelines import run_pipelines
from backends_matrix.check.worker.recorder import Recorder, StageSkipped
from backends_matrix.check.worker.saved_files import write_files
from backends_matrix.check.worker.subject import Subject, flat_arrays, reset_seeds
from portable_models.training.states import values

Array = NDArray[Any]

EPOCHS = 2
REPLICAS = 2


def run_training(subject: Subject, recorder: Recorder) -> None:
    """Everything that Keras's own trainer does with the model."""
    model: Any = None
    state: _Fresh | None = None
    with recorder.stage("fit") as found, heard_warnings(found):
        model = subject.fresh()
        _require_training(subject, model)
        history = _fit(subject, model)
        found |= _trained(model, history, subject)
        state = _Fresh(subject, model)
        if not subject.double and state.usable:
            found |= _replicas(subject, state, found)
        found["leaks"] = leaked_tensors(model)
    if recorder.failed("fit") or state is None:
        model = None
    with recorder.stage("train_on_batch") as found:
        stepped = model or subject.fresh()
        _require_training(subject, stepped)
        if state is not None:
            state.reset()
        logs = stepped.train_on_batch(*first_tensors(subject), return_dict=True)
        found |= _trained(stepped, {"": logs}, subject)
    if model is None or state is None:
        model = subject.model
        subject.restore()
    else:
        state.reset()
    if not subject.double:
        with recorder.stage("predict") as found:
            found |= _predict(subject, model)
    if state is not None and not recorder.failed("fit"):
        with recorder.stage("evaluate") as found:
            _require_training(subject, model)
            reset_seeds(model, subject)
            logs = model.evaluate(
                *batch_of(subject), batch_size=subject.part, verbose=0, return_dict=True
            )
            found["@logs"] = _flat_logs(logs)
        if not subject.double:
            run_pipelines(subject, recorder, model, subject.part)
            state.reset()
    if not subject.double:
        write_files(
            subject,
            recorder,
            model,
            trained=state is not None and not recorder.failed("train_on_batch"),
        )
        run_mixed(subject, recorder)


def _require_training(subject: Subject, model: Any) -> None:
    """Skip what cannot be trained, and say why."""
    floats = all(
        np.asarray(each).dtype.kind == "f"
        for each in flat_arrays(subject.model(subject.tensors(subject.x), training=False))
    )
    subject.restore()
    if model.loss == "mse" and not subject.was_compiled and not floats:
        raise StageSkipped(
            "the model is not compiled and has outputs that are no numbers; define LOSS"
        )
    if subject.model.trainable_variables or subject.was_compiled:
        return
    raise StageSkipped("the model has no trainable weights")


class _Fresh:
    """Puts a trained model back to where it was before it trained."""

    def __init__(self, subject: Subject, model: Any) -> None:
        self._subject, self.model = subject, model
        own = values(subject.variables(model))
        self.usable = [each.shape for each in own] == [each.shape for each in subject.start]
        self._optimizer: list[Array] = []
        optimizer = getattr(model, "optimizer", None)
        if optimizer is not None and self.usable and "LossScale" not in type(optimizer).__name__:
            other = type(optimizer).from_config(optimizer.get_config())
            other.build(model.trainable_variables)
            self._optimizer = values(other.variables)
        mine = [] if optimizer is None else [tuple(each.shape) for each in optimizer.variables]
        self._counts = bool(mine) and [each.shape for each in self._optimizer] == mine

    def reset(self, weights: list[Array] | None = None) -> None:
        """Put weights and optimizer back; the weights may be others."""
        if self.usable:
            self._subject.put(self.model, self._subject.start if weights is None else weights)
        if self._counts:
            pairs = zip(self.model.optimizer.variables, self._optimizer, strict=True)
            for variable, array in pairs:
                variable.assign(array)
        self.model.reset_metrics()


def _fit(subject: Subject, model: Any, x: Any = None) -> dict[str, list[float]]:
    history = model.fit(
        *batch_of(subject, x), batch_size=subject.part, epochs=EPOCHS, shuffle=False, verbose=0
    )
    found: dict[str, list[float]] = history.history
    return found


def _trained(model: Any, history: dict[str, Any], subject: Subject) -> dict[str, Any]:
    """Weights, statistics and logs after training."""
    return {
        "@weights": values(subject.trainable(model)),
        "@span": _spans(model, subject),
        "@statistics": values(subject.statistics(model)),
        "@logs": {
            f"{name}" if name else key: value
            for name, logs in history.items()
            for key, value in (logs.items() if isinstance(logs, dict) else [(name, np.array(logs))])
        },
        "names": [each.path for each in subject.trainable(model)],
        "statistics_names": [each.path for each in subject.statistics(model)],
    }


def _spans(model: Any, subject: Subject) -> list[Array]:
    """How far each trainable weight went from where it began: the size of its steps."""
    paths = [each.path for each in subject.variables(subject.model)]
    start = dict(zip(paths, subject.start, strict=True))
    found = []
    for variable in subject.trainable(model):
        now = np.asarray(keras.ops.convert_to_numpy(variable.value), np.float64)
        before = start.get(variable.path)
        if before is None or before.shape != now.shape:
            found.append(np.array(0.0))
        else:
            found.append(np.array(np.max(np.abs(now - before), initial=0.0)))
    return found


def _replicas(subject: Subject, state: _Fresh, first: dict[str, Any]) -> dict[str, Any]:
    """How far the results of ``fit`` move when its inputs and weights move by one unit in the last place."""
    model = state.model
    groups = ("@weights", "@statistics", "@logs")
    largest: dict[str, dict[Any, float]] = {group: {} for group in groups}
    for number in range(REPLICAS):
        x, weights = subject.moved(10 + number)
        state.reset(weights)
        other = _trained(model, _fit(subject, model, x), subject)
        for group in groups:
            for key, array in _items(first[group]):
                between = _distance(array, dict(_items(other[group]))[key])
                largest[group][key] = max(largest[group].get(key, 0.0), between)
    return {
        f"@move.{group[1:]}": {key: np.array(value) for key, value in each.items()}
        for group, each in largest.items()
    }


def _items(arrays: Any) -> list[tuple[Any, Array]]:
    return list(arrays.items() if isinstance(arrays, dict) else enumerate(arrays))


def _distance(first: Array, second: Array) -> float:
    with np.errstate(invalid="ignore"):
        between = np.abs(np.asarray(first, np.float64) - np.asarray(second, np.float64))
    return float(np.nanmax(between, initial=0.0))


def _flat_logs(logs: Any) -> dict[str, Array]:
    flat: dict[str, Array] = {}
    for name, value in logs.items():
        if isinstance(value, dict):
            flat |= _flat_logs(value)
        else:
            flat[name] = np.asarray(keras.ops.convert_to_numpy(value), np.float64)
    return flat


def _predict(subject: Subject, model: Any) -> dict[str, Any]:
    """What compiled code puts out, in a whole batch and a partial one, and what plain calls do."""
    x = subject.arrays(subject.x)
    reset_seeds(model, subject)
    outputs = model.predict(x, batch_size=subject.part, verbose=0)
    reset_seeds(model, subject)
    rows = len(keras.tree.flatten(x)[0])
    parts = []
    for start in range(0, rows, subject.part):
        part = keras.tree.map_structure(lambda leaf, s=start: leaf[s : s + subject.part], x)
        parts.append(flat_arrays(model(subject.tensors(part), training=False)))
    return {
        "@outputs": [np.asarray(each) for each in keras.tree.flatten(outputs)],
        "@eager": [np.concatenate(each) for each in zip(*parts, strict=True)],
    }
