"""Outputs that are random: found, because noise of the model's own must never become a tolerance."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from portable_models._keras.layers import all_layers
from portable_models.export.comparison import RELATIVE, magnitude
from portable_models.export.inspection import View

Array = NDArray[Any]
Run = Callable[[View, Sequence[Array]], list[Array]]


def find_random(seen: View, inputs: Sequence[Array], run: Run) -> dict[str, float]:
    """The outputs that differ between two runs on the same inputs, and by which part of their scale.

    Between the runs the state of every seed generator is changed: an output that depends on it moves, and
    one that does not is the same to the last digit. A model with code of its own is also run twice without
    compilation, which would bake in what it draws from NumPy.

    Args:
        seen: the model.
        inputs: one set of flat inputs.
        run: the compiled inference.
    """
    first = run(seen, inputs)
    with _other_seeds(seen.model):
        second = run(seen, inputs)
    moved = _moved(seen, first, second)
    if _has_own_code(seen.model):
        eager = [_eager(seen, inputs) for _ in range(2)]
        again = _moved(seen, *eager)
        moved |= {name: max(value, moved.get(name, 0.0)) for name, value in again.items()}
    return moved


def _moved(seen: View, first: Sequence[Array], second: Sequence[Array]) -> dict[str, float]:
    found = {}
    for tensor, one, other in zip(seen.signature.outputs, first, second, strict=True):
        if one.dtype.kind not in "iufb" or one.shape != other.shape:
            continue
        with np.errstate(invalid="ignore"):
            gap = np.abs(one.astype(np.float64) - other.astype(np.float64))
        difference = float(np.max(gap, where=np.isfinite(gap), initial=0.0))
        difference /= max(magnitude(one), magnitude(other)) or 1.0
        # Threads may add up in another order from run to run, but not by more than this.
        if difference > RELATIVE:
            found[tensor.name] = difference
    return found


def _eager(seen: View, inputs: Sequence[Array]) -> list[Array]:
    outputs = seen([keras.ops.convert_to_tensor(value) for value in inputs])
    return [np.asarray(keras.ops.convert_to_numpy(value)) for value in outputs]


def _has_own_code(model: Any) -> bool:
    return any(
        type(layer).__module__.partition(".")[0] != "keras"
        or isinstance(layer, keras.layers.Lambda)
        for layer in all_layers(model)
    )


@contextlib.contextmanager
def _other_seeds(model: Any) -> Iterator[None]:
    """The states of the model's seed generators changed, and put back afterwards."""
    states = [v for v in model.variables if "seed_generator" in v.path]
    kept = [np.array(keras.ops.convert_to_numpy(state)) for state in states]
    try:
        for state, value in zip(states, kept, strict=True):
            state.assign(value + np.asarray(12345, value.dtype))
        yield
    finally:
        for state, value in zip(states, kept, strict=True):
            state.assign(value)
