"""Compiled programs: epochs of a training as one function on the device."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Gather = Callable[[Any, Any], tuple[Any, Any, Any]]
"""``(tensors, places) -> (x, y, sample_weight)``, traced into a program."""

Orders = NDArray[np.int32]
"""Places of whole passes: those of each batch, one after the other."""

State = list[Any]
"""The values of a training's variables, in the order of :func:`variables_of`."""


_LOGGING = ("train_step", "test_step", "compute_metrics", "get_metrics_result")
"""Methods of a model that decide what a step logs."""


class NotCompilableError(Exception):
    """The training cannot be a compiled program; the message is the reason, for the user."""


class ProgramFailedError(Exception):
    """A compiled program failed while it ran; the model's variables are as they were before the call."""


class Part(Enum):
    """What one call of a program does in each of its epochs."""

    BOTH = "training and validation"
    TRAINING = "training"
    VALIDATION = "validation"


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


class Stacked(Sequence[State]):
    """States of members as a program left them: stacked, and taken apart once they are read.

    Args:
        values: one tensor for each variable, whose first dimension is of members.
        apart: gives the state of each member.
    """

    def __init__(self, values: Any, apart: Callable[[Any], list[State]]) -> None:
        self.values = values
        self._take_apart = apart

    @cached_property
    def _states(self) -> list[State]:
        return self._take_apart(self.values)

    def __len__(self) -> int:
        return int(self.values[0].shape[0])

    def __getitem__(self, index: Any) -> Any:
        return self._states[index]


class Program(ABC):
    """Epochs of a training as one compiled program, over the train and test step of a Keras model.

    A program belongs to one model's layers, losses, metrics and optimizer, but to no values: it is given
    states, so that it serves every training that is alike in all but values.
    """

    apart_because: str = ""
    """Why members are trained one by one where the backend would train them together; empty elsewhere."""

    @abstractmethod
    def prepare(
        self,
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        part: Part = Part.BOTH,
    ) -> None:
        """Compile for arguments of these shapes, if that is not done yet; nothing is trained.

        Raises:
            NotCompilableError: the step cannot be traced, or the compiler lacks an operation.
        """

    @abstractmethod
    def run(
        self,
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        count: int,
        part: Part = Part.BOTH,
    ) -> tuple[Sequence[State], list[dict[str, NDArray[Any]]]]:
        """Train members side by side for some epochs.

        Args:
            states: the state of each member; those that the last call returned, or others.
            rows: what each member reads.
            orders: int32 of shape ``(members, epochs, places)``.
            count: how many of the epochs to run, from the first.
            part: whether an epoch is a pass over the training data, over the validation data, or both.

        Returns:
            The state of each member afterwards, and its logs by name, of shape ``(count,)``; those of
            validation begin with ``val_``.

        Raises:
            ProgramFailedError: the framework failed while the program ran.
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


def batch_of(way: Pass, tensors: Any, places: Any) -> Any:
    """One batch as ``Model.fit`` hands it to a step: ``x``, ``(x, y)`` or ``(x, y, sample_weight)``."""
    import keras

    return keras.utils.pack_x_y_sample_weight(*way.gather(tensors, places))


def may_log_otherwise(model: Any) -> bool:
    """Whether a step of the model may return other logs than the results of the model's metrics."""
    import keras

    return any(
        name in vars(model) or getattr(type(model), name) is not getattr(keras.Model, name)
        for name in _LOGGING
    )


def step_logs_differ(model: Any, logs: Any, step: str) -> bool:
    """Whether Keras would report a step's own logs rather than the results of the model's metrics.

    ``Model.fit`` reports the last step's logs where their names are not those of the metrics
    (``Trainer._get_metrics_result_or_logs``, keras 3.15.1).

    Raises:
        NotCompilableError: the step returns something other than a dict of numbers.
    """
    if not isinstance(logs, Mapping):
        raise NotCompilableError(
            f"{step} returns {type(logs).__name__}: only a step that returns a dict of numbers is compiled"
        )
    return set(logs) != set(model.get_metrics_result())


def scalar_logs(logs: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Logs under their prefixed names.

    Raises:
        NotCompilableError: a value is not one number, for instance an F1Score of each class.
    """
    for name, value in logs.items():
        if isinstance(value, Mapping) or tuple(getattr(value, "shape", ())):
            raise NotCompilableError(
                f"the log {name!r} is not one number: only logs of one number each are compiled"
            )
    return {prefix + name: value for name, value in logs.items()}


@contextlib.contextmanager
def tracing(what: str) -> Iterator[None]:
    """Turn whatever a framework or the user's code raises while it is traced into a refusal.

    Only the code of the model stands inside, so that a defect of this library is raised as it is.
    """
    try:
        yield
    except NotCompilableError:
        raise
    except Exception as error:
        raise NotCompilableError(f"{what} cannot be traced: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """The class of an exception and the first line of its message."""
    first = next(filter(None, str(error).splitlines()), "")
    return f"{type(error).__name__}: {first.strip()}" if first else type(error).__name__
