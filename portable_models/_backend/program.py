"""Programs: what a training is, to compiled code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Gather = Callable[[Any, Any], tuple[Any, Any, Any]]
"""``(tensors, places) -> (x, y, sample_weight)``, traced into a program."""

Orders = NDArray[np.int32]
"""Places of whole passes: those of each batch, one after the other."""

State = list[Any]
"""The values of a training's variables, in the order of :func:`variables_of`."""


@dataclass(frozen=True)
class Pass:
    """How samples are gone through once.

    Args:
        gather: makes a batch of rows on the device, of the batch's places.
        count: how many rows there are.
        batch_size: rows in a batch; the last one may hold fewer.
        width: how many places a whole batch has.
    """

    gather: Gather
    count: int
    batch_size: int
    width: int

    @property
    def steps(self) -> int:
        """How many batches are whole."""
        return self.count // self.batch_size

    def batches(self, order: Any) -> tuple[Any, Any]:
        """Places of the whole batches, of shape ``(steps, width)``, and of the one left over."""
        import keras

        whole = self.steps * self.width
        return keras.ops.reshape(order[:whole], (self.steps, self.width)), order[whole:]


@dataclass(frozen=True)
class OnDevice:
    """What one training reads on the device.

    Args:
        training: a structure of tensors.
        held_out: the same for validation, or None.
        held_out_order: the places of a pass through them, int32, or None.
    """

    training: Any
    held_out: Any
    held_out_order: Any


class Program(ABC):
    """Epochs of a training as one compiled program, over the train and test step of a Keras model.

    A program belongs to one model's layers, losses, metrics and optimizer, but to no values: it is given
    states, so that it serves every training that is alike in all but values.
    """

    @abstractmethod
    def prepare(self, states: Sequence[State], rows: Sequence[OnDevice], orders: Orders) -> None:
        """Compile for arguments of these shapes, if that is not done yet; nothing is trained.

        Raises:
            Exception: whatever the framework raises on what it cannot trace or compile.
        """

    @abstractmethod
    def run(
        self, states: Sequence[State], rows: Sequence[OnDevice], orders: Orders, count: int
    ) -> tuple[list[State], list[dict[str, NDArray[Any]]]]:
        """Train members side by side for some epochs.

        Args:
            states: where each member stands.
            rows: what each member reads.
            orders: int32 of shape ``(members, epochs, places)``.
            count: how many of the epochs to run, from the first.

        Returns:
            Where each member stands then, and its metrics by name, of shape ``(count,)``; those of
            validation begin with ``val_``.
        """


def variables_of(model: Any) -> list[Any]:
    """Every variable that a training step of a built and compiled model may change, each once."""
    groups = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    return list({id(variable): variable for group in groups for variable in group}.values())


def flat_metrics(model: Any, prefix: str = "") -> dict[str, Any]:
    """The metrics as ``fit`` reports them; those of a dict of metrics under their own names."""
    flat: dict[str, Any] = {}
    for name, value in model.get_metrics_result().items():
        values = value if isinstance(value, dict) else {name: value}
        flat |= {prefix + key: each for key, each in values.items()}
    return flat
