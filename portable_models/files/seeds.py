"""The state of a model's seed generators, which Keras does not save.

Without it a resumed training draws the dropout masks of the first epochs again: its losses were 5e-3 to
3e-2 off those of an uninterrupted one (keras 3.15.1, every backend).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from portable_models.files.errors import FileError
from portable_models.files.passport import SeedState


def read_seeds(model: Any) -> tuple[SeedState, ...]:
    """The states of all seed generators of a built Keras model, in the order of its layers."""
    return tuple(
        SeedState(owner, (int(state[0]), int(state[1])))
        for owner, variable in _generators(model)
        for state in (np.asarray(variable.numpy()),)
    )


def restore_seeds(model: Any, seeds: Sequence[SeedState]) -> None:
    """Set the seed generators of a model to saved states.

    The variables have another integer type on each backend (uint32, int32, int64); a state is wrapped
    into it, which keeps the 32 bits that generators use.

    Raises:
        FileError: the model's generators are not those of the file.
    """
    found = list(_generators(model))
    if [owner for owner, _ in found] != [seed.owner for seed in seeds]:
        raise FileError(
            f"the file holds the seed generators of {[seed.owner for seed in seeds]}, but the model "
            f"has {[owner for owner, _ in found]}, so training cannot resume exactly; load with "
            "compile=False to use the model without"
        )
    for (_, variable), seed in zip(found, seeds, strict=True):
        variable.assign(np.asarray(seed.state, np.int64).astype(str(variable.dtype)))


def _generators(model: Any) -> Iterator[tuple[str, Any]]:
    """Each seed generator's variable once, with the layer that owns it.

    ``variables`` is ``weights`` and the seed generators (Keras's documentation of ``Layer.variables``),
    so their difference needs no private name.
    """
    seen: set[int] = set()
    for index, layer in enumerate(model.layers):
        for variable in _seed_variables(layer):
            if id(variable) not in seen:
                seen.add(id(variable))
                yield f"layers[{index}] {type(layer).__name__}", variable
    for variable in _seed_variables(model):
        if id(variable) not in seen:
            seen.add(id(variable))
            yield "model", variable


def _seed_variables(layer: Any) -> list[Any]:
    weights = {id(variable) for variable in layer.weights}
    return [variable for variable in layer.variables if id(variable) not in weights]
