"""One training step from a recorded state: outputs, loss, gradients, update, statistics and metrics."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from portable_models._backend import current
from portable_models.data.pipelines.pipeline import weighted
from portable_models.data.samples import Array, Batch, Indices
from portable_models.random import portable_random
from portable_models.training.engine import Job, choose
from portable_models.training.states import State, moved, restore, values

STEPS = (0, 1, 10, 100)
EPOCHS = (1, 2, 5, 10, 20, 50, 100, 200)
LARGE = 1_000_000
"""Parameters above which fewer states are kept: each takes three to four times as many numbers."""

Found = dict[str, Array]
"""``kind/index`` -> array; kinds are outputs, loss, gradient, update, statistics and metric."""


def record(job: Job, engine: str, folder: Path) -> int:
    """Train as the job says and write states along the way; returns how many.

    States are taken after 0, 1, 10 and 100 steps and at the end of epochs 1, 2, 5, 10 and so on. Names of the
    trainable variables go into ``names.json``.
    """
    model = job.model
    small = model.count_params() <= LARGE
    steps, epochs = (STEPS, EPOCHS) if small else (STEPS[:3], EPOCHS[:2])
    with portable_random(job.recipe.seed):
        _prepare(job)
        names = {
            "gradient": [each.path for each in model.trainable_variables],
            "statistics": [each.path for each in _statistics(model)],
        }
        (folder / "names.json").write_text(json.dumps(names), encoding="utf-8")
        count = _record_steps(job, steps, folder)
        recorder = _EpochRecorder(job, epochs, folder, count)
        recipe = job.recipe.replace(callbacks=(*job.recipe.callbacks, lambda: recorder))
        again = replace(job, recipe=recipe)
        choose(engine, [again])[0].run([again])
    return recorder.count


def replay(job: Job, source: Path, target: Path, moves: int = 0) -> None:
    """Compute the next step from every state in ``source`` and write what came out to ``target``.

    Args:
        job: a job like the recorded one, on this process's backend and in its precision.
        source: where ``record`` wrote.
        target: gets one ``.npz`` file per state.
        moves: how often the step is computed again with every number that goes into it moved by one unit in
            the last place of float32; the largest distance of each result is written as ``move/...``.
    """
    with portable_random(job.recipe.seed):
        _prepare(job)
        own = values(job.model.optimizer.variables)
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
                    variables=moved(state.variables, rng),
                    optimizer=moved(state.optimizer, rng),
                    gradients=moved(state.gradients, rng),
                )
                other = _step(job.model, shifted, _moved_inputs(batch, rng))
                for key, array in found.items():
                    distance = np.max(np.abs(other[key] - array), initial=0.0)
                    largest[key] = max(largest[key], float(distance))
            extra = (
                {f"move/{key}": np.array(value) for key, value in largest.items()} if moves else {}
            )
            np.savez(target / path.name, **found, **extra)  # type: ignore[arg-type]  # no option is named so


def _prepare(job: Job) -> None:
    """Build optimizer, loss and metrics without a step."""
    batch = _batch(job, np.arange(1))
    job.model._symbolic_build(data_batch=_tensors(batch))


def _batch(job: Job, indices: Indices) -> Batch:
    return weighted(job.samples.take(indices), job.recipe.class_weight)


def _tensors(batch: Batch) -> Any:
    """``(x, y, sample_weight)`` as tensors, floating-point numbers in Keras's precision."""

    def tensor(array: Any) -> Any:
        array = np.asarray(array)
        kind = keras.config.floatx() if array.dtype.kind == "f" else array.dtype
        return keras.ops.convert_to_tensor(array.astype(kind))

    return keras.tree.map_structure(
        lambda leaf: None if leaf is None else tensor(leaf), tuple(batch)
    )


def _moved_inputs(batch: Batch, rng: np.random.Generator) -> Batch:
    x = keras.tree.map_structure(lambda array: moved([np.asarray(array)], rng)[0], batch.x)
    return batch._replace(x=x)


def _statistics(model: Any) -> list[Any]:
    """Variables that a forward pass changes and no gradient: running means and the like."""
    return [
        each
        for each in model.non_trainable_variables
        if keras.backend.is_float_dtype(keras.backend.standardize_dtype(each.dtype))
    ]


def _step(model: Any, state: State, batch: Batch) -> Found:
    x, y, weight = _tensors(batch)
    restore(model, state)
    outputs, loss, gradients = current().gradients(model, x, y, weight)
    found: Found = {"loss/0": np.asarray(loss, np.float64)}
    flat = [keras.ops.convert_to_numpy(each) for each in keras.tree.flatten(outputs)]
    for kind, arrays in (
        ("outputs", flat),
        ("gradient", gradients),
        ("statistics", values(_statistics(model))),
    ):
        found |= {f"{kind}/{index}": np.asarray(each) for index, each in enumerate(arrays)}
    model.reset_metrics()
    logs = model.compute_metrics(x, y, outputs, weight)
    for name, value in sorted(_flat(logs).items()):
        if name != "loss":
            found[f"metric/{name}"] = np.asarray(keras.ops.convert_to_numpy(value), np.float64)
    restore(model, state)
    kind = keras.config.floatx()
    given = [keras.ops.convert_to_tensor(each.astype(kind)) for each in state.gradients]
    model.optimizer.apply(given, model.trainable_variables)
    found |= {f"update/{i}": each for i, each in enumerate(values(model.trainable_variables))}
    return found


def _flat(logs: Any) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in logs.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat


def _gradients(job: Job, batch: Batch) -> list[Array]:
    return list(current().gradients(job.model, *_tensors(batch))[2])


def _record_steps(job: Job, steps: tuple[int, ...], folder: Path) -> int:
    """States of the first steps, one after the other; the model is put back to where it was."""
    model, size, count, step, epoch = job.model, job.recipe.batch_size, 0, 0, 0
    start = State(
        0, 1, np.zeros(0, int), values(model.variables), values(model.optimizer.variables), []
    )
    while step <= max(steps) and epoch < job.recipe.epochs:
        order = job.order(epoch)
        for first in range(0, len(order), size):
            indices = order[first : first + size]
            batch = _batch(job, indices)
            if step in steps:
                _write(job, folder, count, step, epoch + 1, indices)
                count += 1
            if step == max(steps):
                break
            gradients = [keras.ops.convert_to_tensor(each) for each in _gradients(job, batch)]
            model.optimizer.apply(gradients, model.trainable_variables)
            step += 1
        else:
            epoch += 1
            continue
        break
    restore(model, start)
    return count


def _write(job: Job, folder: Path, number: int, step: int, epoch: int, indices: Indices) -> None:
    """Write the state as it is, with the gradients of the next step, which leave it as it is."""
    model = job.model
    state = State(
        step, epoch, indices, values(model.variables), values(model.optimizer.variables), []
    )
    gradients = _gradients(job, _batch(job, indices))
    restore(model, state)
    replace(state, gradients=gradients).write(folder / f"state-{number:03d}.npz")


class _EpochRecorder(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no complete types
    """Writes the state at the end of some epochs, and of the last, before the next epoch's first batch."""

    def __init__(self, job: Job, epochs: tuple[int, ...], folder: Path, count: int) -> None:
        super().__init__()
        self._job, self._epochs, self._folder, self.count = job, epochs, folder, count

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write it down."""
        recipe = self._job.recipe
        if epoch + 1 in self._epochs or epoch + 1 == recipe.epochs:
            step = (epoch + 1) * -(-len(self._job.samples) // recipe.batch_size)
            indices = self._job.order(epoch + 1)[: recipe.batch_size]
            _write(
                replace(self._job, model=self.model),
                self._folder,
                self.count,
                step,
                epoch + 1,
                indices,
            )
            self.count += 1
