"""Run the first steps of a training twice in one worker, and find the layer that does not repeat them.

What a model draws from outside (NumPy or Python's ``random`` in a ``call``, an unseeded generator of the
framework) is another number each time. No tolerance may be made of it. Needs Keras: imported by workers only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from backends_matrix.check.worker.calls import Call, Observer, Run
from backends_matrix.check.worker.tensors import arrays_of
from portable_models._keras.calls import call_in_training
from portable_models.data.samples import Array
from portable_models.random import portable_random
from portable_models.training.engines.engine import Job
from portable_models.training.few_steps import run_few_steps

REPEATS = 1e-5
"""Part of a result's scale that the second run may be away. On one processor the two are equal bit by bit;
a device or several threads may add up in another order, which moves a few steps by some 1e-7."""

ROWS = 8
"""Of the batch by which the layer is found."""


def repeat_training(first_job: Callable[[], Job]) -> dict[str, Any]:
    """Train a few steps twice.

    Args:
        first_job: builds the model anew and gives the job of its first training.

    Returns:
        ``changes`` (the names of results that are not the same both times) and ``layer`` (the path of the
        first layer or operation whose output is not; empty where none was found).
    """
    one, other = (run_few_steps(first_job()) for _ in range(2))
    changes = _changes(one, other)
    return {"changes": changes, "layer": _first_layer(first_job) if changes else ""}


def _changes(one: Mapping[str, Array], other: Mapping[str, Array]) -> list[str]:
    """Metrics and the paths of variables, each once."""
    changed = [name for name in one if not _equal(one[name], other.get(name))]
    return list(dict.fromkeys(name.split("/", 2)[-1] for name in changed))


def _equal(one: Array, other: Array | None) -> bool:
    if other is None or one.shape != other.shape:
        return False
    if one.dtype.kind not in "fc":
        return bool(np.array_equal(one, other))
    finite = np.isfinite(one)
    if not np.array_equal(finite, np.isfinite(other)):
        return False
    largest = float(np.max(np.abs(one), initial=0.0, where=finite))
    with np.errstate(invalid="ignore"):
        between = np.abs(one - other)
    return bool(np.max(between, initial=0.0, where=finite) <= REPEATS * max(largest, 1e-30))


def _first_layer(first_job: Callable[[], Job]) -> str:
    calls: list[Call] = []
    outputs: list[dict[str, list[Array]]] = []
    for _ in range(2):
        calls.clear()
        outputs.append(_forward(first_job(), calls))
    first, second = outputs
    differing = [
        call
        for call in sorted(calls, key=lambda each: each.number)
        if not all(
            _equal(a, b)
            for a, b in zip(first.get(call.key, []), second.get(call.key, []), strict=False)
        )
    ]
    outer = {call.parent for call in differing}
    return next((call.path for call in differing if call.number not in outer), "")


def _forward(job: Job, calls: list[Call]) -> dict[str, list[Array]]:
    """The outputs of every call in one forward pass in training."""
    found: dict[str, list[Array]] = {}

    def keep(call: Call, run: Run, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = run(args, kwargs)
        calls.append(call)
        found[call.key] = arrays_of(result)
        return result

    batch = job.rows.take(np.arange(min(ROWS, len(job.rows))))
    x = keras.tree.map_structure(
        lambda leaf: None if leaf is None else keras.ops.convert_to_tensor(leaf), batch.x
    )
    with portable_random(job.settings.seed), Observer(keep, "").watching():
        call_in_training(job.model, x)
    return found
