"""One training step from a recorded state: outputs, loss, gradients, update, statistics and metrics."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from portable_models._backend import current
from portable_models._keras.building import build_by_shapes
from portable_models._keras.layers import all_layers
from portable_models.data.pipelines.pipeline import weighted
from portable_models.data.samples import Array, Batch, Indices
from portable_models.random import portable_random
from portable_models.training.engines.choosing import choose
from portable_models.training.engines.engine import Job
from portable_models.training.single_update import apply_gradients, unscaled
from portable_models.training.states import ROUGH, State, moved, readable, restore, values

STEPS = (0, 1, 10, 100)
EPOCHS = (1, 2, 5, 10, 20, 50, 100, 200)
LARGE = 1_000_000
"""Parameters above which fewer states are kept: each takes three to four times as many numbers."""

Found = dict[str, Array]
"""``kind/index`` -> array; kinds are outputs, loss, gradient, update, statistics and metric."""


def record(job: Job, engine: str, folder: Path) -> int:
    """Train as the job says and write states along the way; returns how many.

    States are taken after 0, 1, 10 and 100 steps and at the end of epochs 1, 2, 5, 10 and so on, as long as
    all of the model's numbers are finite. Names of the
    trainable variables go into ``names.json``.
    """
    model = job.model
    small = model.count_params() <= LARGE
    steps, epochs = (STEPS, EPOCHS) if small else (STEPS[:3], EPOCHS[:2])
    with portable_random(job.settings.seed):
        prepare(job)
        names = {
            "gradient": [each.path for each in model.trainable_variables],
            "statistics": [each.path for each in _statistics(model)],
            "precision": _precision(model),
            "owners": _owners(model),
            "optimizer": type(
                getattr(model.optimizer, "inner_optimizer", model.optimizer)
            ).__name__,
        }
        (folder / "names.json").write_text(json.dumps(names), encoding="utf-8")
        count = _record_steps(job, steps, folder)
        recorder = _EpochRecorder(job, epochs, folder, count)
        settings = replace(job.settings, callbacks=(*job.settings.callbacks, recorder))
        again = replace(job, settings=settings)
        choose(engine, [again]).engine.run([again])
    return recorder.count


def replay(job: Job, source: Path, target: Path, moves: int = 0) -> None:
    """Compute the next step from every state in ``source`` and write what came out to ``target``.

    Args:
        job: a job like the recorded one, on this process's backend and in its precision.
        source: where ``record`` wrote.
        target: gets one ``.npz`` file per state.
        moves: how often the step is computed again with every number that goes into it moved by one unit in
            the last place; the largest distance of each result is written as ``move/...``.
    """
    with portable_random(job.settings.seed):
        prepare(job)
        own = values(job.model.optimizer.variables)
        precision = json.loads((source / "names.json").read_text(encoding="utf-8"))["precision"]
        for path in sorted(source.glob("state-*.npz")):
            state = State.read(path)
            if not state.step:
                # At the start everybody has an optimizer of their own: the learning rate is a variable too.
                state = replace(state, optimizer=own)
            batch = _batch(job, state.batch)
            found = _step(job.model, state, batch)
            largest = dict.fromkeys(found, 0.0)
            for number in range(moves):
                rng = np.random.default_rng([number, state.step])
                shifted = replace(
                    state,
                    variables=moved(state.variables, rng, precision["variables"]),
                    optimizer=moved(state.optimizer, rng, precision["variables"]),
                    gradients=moved(state.gradients, rng, precision["variables"]),
                    outputs=moved(state.outputs, rng),
                )
                # The forward pass rounds the weights to what it computes in, the optimizer does not.
                forward = replace(
                    shifted, variables=moved(state.variables, rng, precision["compute"])
                )
                inputs = _moved_inputs(batch, rng, precision["compute"])
                other = _step(job.model, shifted, inputs, forward)
                for key, array in found.items():
                    with np.errstate(invalid="ignore"):
                        between = np.abs(other[key] - array)
                    distance = np.max(between, initial=0.0, where=np.isfinite(between))
                    largest[key] = max(largest[key], float(distance))
            extra = (
                {f"move/{key}": np.array(value) for key, value in largest.items()} if moves else {}
            )
            np.savez(target / path.name, **found, **extra)  # type: ignore[arg-type]  # no option is named so


def prepare(job: Job) -> None:
    """Build optimizer, loss and metrics without a step."""
    batch = _batch(job, np.arange(1))
    build_by_shapes(job.model, _tensors(batch))


def _batch(job: Job, indices: Indices) -> Batch:
    return weighted(job.rows.take(indices), job.settings.class_weight)


def _tensors(batch: Batch) -> Any:
    """``(x, y, sample_weight)`` as tensors, floating-point numbers in Keras's precision."""

    def tensor(array: Any) -> Any:
        array = np.asarray(array)
        kind = keras.config.floatx() if array.dtype.kind == "f" else array.dtype
        return keras.ops.convert_to_tensor(array.astype(kind))

    return keras.tree.map_structure(
        lambda leaf: None if leaf is None else tensor(leaf), tuple(batch)
    )


def _moved_inputs(batch: Batch, rng: np.random.Generator, precision: str) -> Batch:
    x = keras.tree.map_structure(
        lambda array: moved([np.asarray(array)], rng, precision)[0], batch.x
    )
    return batch._replace(x=x)


def _statistics(model: Any) -> list[Any]:
    """Variables that a forward pass changes and no gradient: running means and the like."""
    return [
        each
        for each in model.non_trainable_variables
        if keras.backend.is_float_dtype(keras.backend.standardize_dtype(each.dtype))
    ]


def _owners(model: Any) -> list[str]:
    """The class of the innermost layer that holds each trainable variable."""
    holders: dict[int, tuple[int, str]] = {}
    for layer in all_layers(model):
        held = layer.trainable_variables
        for each in held:
            mine = (len(held), type(layer).__name__)
            holders[id(each)] = min(holders.get(id(each), mine), mine)
    return [holders.get(id(each), (0, ""))[1] for each in model.trainable_variables]


def _precision(model: Any) -> dict[str, str]:
    """The roughest type that a layer computes in, and that a trainable variable has."""
    compute = {layer.compute_dtype for layer in all_layers(model)}
    variables = {each.dtype for each in model.trainable_variables}
    rough = sorted(ROUGH, key=lambda name: -ROUGH[name])
    return {
        name: next((each for each in rough if each in found), "float32")
        for name, found in (("compute", compute), ("variables", variables))
    }


def _step(model: Any, state: State, batch: Batch, forward: State | None = None) -> Found:
    """One step from a state; its forward pass from another, if one is given."""
    x, y, weight = _tensors(batch)
    restore(model, forward or state)
    with unscaled(model.optimizer):
        made = current().gradients(model, x, y, weight)
    outputs, loss, gradients = made.outputs, made.loss, made.gradients
    found: Found = {"loss/0": np.asarray(loss, np.float64)}
    flat = _arrays(outputs)
    for kind, arrays in (
        ("outputs", flat),
        ("gradient", map(readable, gradients)),
        ("statistics", values(_statistics(model))),
    ):
        found |= {f"{kind}/{index}": np.asarray(each) for index, each in enumerate(arrays)}
    model.reset_metrics()
    seen = [
        keras.ops.convert_to_tensor(each.astype(keras.config.floatx())) for each in state.outputs
    ]
    logs = model.compute_metrics(x, y, keras.tree.pack_sequence_as(outputs, seen), weight)
    for name, value in sorted(_flat(logs).items()):
        if name != "loss":
            found[f"metric/{name}"] = np.asarray(keras.ops.convert_to_numpy(value), np.float64)
    restore(model, state)
    # The judge takes the sum, as the optimizer is defined; a backend what it gets when it trains.
    judges = keras.config.floatx() == "float64"
    apply_gradients(model, state.gradients, None if judges else made.slices)
    found |= {f"update/{i}": each for i, each in enumerate(values(model.trainable_variables))}
    return found


def _flat(logs: Any) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in logs.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat


def _arrays(outputs: Any) -> list[Array]:
    return [readable(keras.ops.convert_to_numpy(each)) for each in keras.tree.flatten(outputs)]


def _forward(job: Job, batch: Batch) -> tuple[list[Array], list[Array]]:
    """Outputs and gradients of the next step."""
    with unscaled(job.model.optimizer):
        made = current().gradients(job.model, *_tensors(batch))
    return _arrays(made.outputs), [readable(each) for each in made.gradients]


def _record_steps(job: Job, steps: tuple[int, ...], folder: Path) -> int:
    """States of the first steps, one after the other; the model is put back to where it was."""
    model, size, count, step, epoch = job.model, job.settings.batch_size, 0, 0, 0
    start = State(
        0, 1, np.zeros(0, int), values(model.variables), values(model.optimizer.variables), [], []
    )
    taken = job.settings.epochs * -(-len(job.rows) // size)
    last = max((each for each in steps if each < taken), default=0)
    while epoch < job.settings.epochs:
        order = job.order(epoch)
        for first in range(0, len(order), size):
            indices = order[first : first + size]
            batch = _batch(job, indices)
            if step in steps and _is_finite(model):
                _write(job, folder, count, step, epoch + 1, indices)
                count += 1
            if step == last:
                break
            apply_gradients(model, _forward(job, batch)[1])
            step += 1
        else:
            epoch += 1
            continue
        break
    restore(model, start)
    return count


def _is_finite(model: Any) -> bool:
    """Whether a step from here can show anything: one from NaN gives NaN."""
    return all(
        np.all(np.isfinite(each)) for each in values(model.variables) if each.dtype.kind == "f"
    )


def _write(job: Job, folder: Path, number: int, step: int, epoch: int, indices: Indices) -> None:
    """Write the state as it is, with the gradients of the next step, which leave it as it is."""
    model = job.model
    state = State(
        step, epoch, indices, values(model.variables), values(model.optimizer.variables), [], []
    )
    outputs, gradients = _forward(job, _batch(job, indices))
    restore(model, state)
    replace(state, gradients=gradients, outputs=outputs).write(folder / f"state-{number:03d}.npz")


class _EpochRecorder(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no complete types
    """Writes the state at the end of some epochs, and of the last, before the next epoch's first batch."""

    def __init__(self, job: Job, epochs: tuple[int, ...], folder: Path, count: int) -> None:
        super().__init__()
        self._job, self._epochs, self._folder, self.count = job, epochs, folder, count

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write it down."""
        settings = self._job.settings
        if (epoch + 1 in self._epochs or epoch + 1 == settings.epochs) and _is_finite(self.model):
            step = (epoch + 1) * -(-len(self._job.rows) // settings.batch_size)
            indices = self._job.order(epoch + 1)[: settings.batch_size]
            _write(
                replace(self._job, model=self.model),
                self._folder,
                self.count,
                step,
                epoch + 1,
                indices,
            )
            self.count += 1
