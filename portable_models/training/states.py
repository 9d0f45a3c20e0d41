"""States of a training: everything that the next step depends on, in files that any backend reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from portable_models.data.samples import Array, Indices

ROUGH = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
"""Half precision: one unit in the last place of 1 (the "machine epsilon")."""

_GROUPS = ("variables", "optimizer", "gradients", "outputs")


@dataclass(frozen=True)
class State:
    """A model's variables and optimizer's between two steps, and the batch that comes next.

    Args:
        step: how many steps were made.
        epoch: the epoch, from 1, that the next step is in.
        batch: indices of the next batch's samples.
        variables: of the model, in the order of ``model.variables``, states of seed generators included.
        optimizer: in the order of ``optimizer.variables``.
        gradients: what the reference found for the next step, one for each trainable variable; every
            backend's optimizer is given these, so that its update is judged apart from the gradient.
        outputs: what the reference's model put out in the next step; every backend's metrics are given
            these, so that no sample is on the other side of a threshold by rounding.
    """

    step: int
    epoch: int
    batch: Indices
    variables: list[Array]
    optimizer: list[Array]
    gradients: list[Array]
    outputs: list[Array]

    def write(self, path: Path) -> None:
        """Write an ``.npz`` file without pickles."""
        arrays: dict[str, Any] = {
            "place": np.array([self.step, self.epoch]),
            "batch": np.asarray(self.batch),
        }
        for name in _GROUPS:
            for index, array in enumerate(getattr(self, name)):
                arrays[f"{name}/{index}"] = array
        np.savez(path, **arrays)

    @classmethod
    def read(cls, path: Path) -> State:
        """Read what ``write`` wrote."""
        with np.load(path, allow_pickle=False) as held:
            groups = [
                [held[f"{name}/{index}"] for index in range(_count(held, name))] for name in _GROUPS
            ]
            step, epoch = held["place"].tolist()
            return cls(step, epoch, held["batch"], *groups)


def _count(held: Any, name: str) -> int:
    return sum(key.startswith(f"{name}/") for key in held.files)


def values(variables: Any) -> list[Array]:
    """The variables' values as NumPy arrays of their own."""
    return [readable(keras.ops.convert_to_numpy(each.value)) for each in variables]


def readable(array: Any) -> Array:
    """A NumPy array of its own, of a type that NumPy knows by itself: bfloat16 becomes float32, exactly."""
    found: Array = np.array(array)
    return found.astype(np.float32) if found.dtype.kind == "V" else found


def restore(model: Any, state: State) -> None:
    """Put a state into a built and compiled model; floating-point numbers become of the model's precision."""
    for variables, arrays in (
        (model.variables, state.variables),
        (model.optimizer.variables, state.optimizer),
    ):
        for variable, array in zip(variables, arrays, strict=True):
            # Keras rounds to the variable's type; to half precision too, which NumPy need not know.
            variable.assign(array.astype("float64") if array.dtype.kind == "f" else array)


def moved(arrays: list[Array], rng: np.random.Generator, precision: str = "float32") -> list[Array]:
    """Every floating-point number moved by one unit in the last place, up or down; zeros stay.

    Args:
        arrays: of any type.
        rng: draws the directions.
        precision: of which type a unit is meant.
    """
    return [_moved(array, rng, precision) for array in arrays]


def _moved(array: Array, rng: np.random.Generator, precision: str) -> Array:
    if array.dtype.kind != "f":
        return array
    if precision in ROUGH:
        _, exponents = np.frexp(array)
        units = np.ldexp(ROUGH[precision], exponents - 1)
        signs = np.where(rng.random(array.shape) < 0.5, -1.0, 1.0)
        # Wider than the number itself, so that the move is not rounded away.
        return np.asarray(np.where(array == 0, array, array + signs * units), np.float64)
    towards: NDArray[Any] = np.where(rng.random(array.shape) < 0.5, -np.inf, np.inf).astype(
        array.dtype
    )
    found: Array = np.where(array == 0, array, np.nextafter(array, towards))
    return found
