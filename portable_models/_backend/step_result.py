"""What the forward and backward pass of one training step give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Slices(NamedTuple):
    """A gradient of some rows of a variable, as an embedding's on TensorFlow; a row may come several times.

    Args:
        rows: which rows, int64, shape (n,).
        values: what is added to each, shape (n, ...).
    """

    rows: NDArray[np.int64]
    values: NDArray[Any]


class StepResult(NamedTuple):
    """One training step before its update.

    Args:
        outputs: tensors, as the model gives them.
        loss: with all penalties.
        gradients: of the loss, one for each of ``model.trainable_variables``.
        slices: for the positions of gradients that the optimizer gets as slices: those.
    """

    outputs: Any
    loss: float
    gradients: list[NDArray[Any]]
    slices: Mapping[int, Slices] = {}
