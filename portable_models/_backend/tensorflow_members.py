"""Members on TensorFlow: one after another inside one graph, from states that are stacked.

To call a graph once for each member, and to assign the states from Python, took four times as long as the
steps of 64 small members.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from portable_models._backend.program import OnDevice, State

MOST_BYTES = 2**28
"""The most that the states of all members, and rows that are not shared, may take to be stacked.

Of larger members a step takes so long that what a call costs does not matter.
"""


def bytes_of(variables: Sequence[Any], states: Sequence[State], rows: Sequence[OnDevice]) -> int:
    """What stacked states and rows take."""
    each = sum(
        math.prod(variable.shape) * tf.as_dtype(variable.dtype).size for variable in variables
    )
    held = _distinct(rows)
    read = [tf.nest.flatten((part.training, part.held_out, part.held_out_order)) for part in held]
    of_rows = sum(
        tensor.shape.num_elements() * tensor.dtype.size
        for tensors in (read if len(held) > 1 else [])
        for tensor in tensors
        if tensor is not None
    )
    return int(len(states) * each + of_rows)


def stack(states: Sequence[State]) -> list[Any]:
    """One tensor for each variable, of the values of all members."""
    return [tf.stack(values) for values in zip(*states, strict=True)]


def apart(stacked: Sequence[Any]) -> list[State]:
    """The state of each member."""
    return [list(state) for state in zip(*map(tf.unstack, stacked), strict=True)]


class StackedRows:
    """What members read: once where all read the same, stacked where they do not; kept from call to call."""

    def __init__(self) -> None:
        self._rows: list[OnDevice] = []
        self._read: Any = None
        self._places: Any = None

    def of(self, rows: Sequence[OnDevice]) -> tuple[Any, Any]:
        """Training rows, rows held out and their order, and which of them each member reads or None."""
        if list(map(id, rows)) != list(map(id, self._rows)):
            self._rows = list(rows)
            held = _distinct(rows)
            read = [(part.training, part.held_out, part.held_out_order) for part in held]
            if len(held) == 1:
                (self._read,), self._places = read, None
            else:
                numbers = {id(part): number for number, part in enumerate(held)}
                self._read = tf.nest.map_structure(
                    lambda *parts: None if parts[0] is None else tf.stack(parts), *read
                )
                self._places = tf.constant([numbers[id(part)] for part in rows])
        return self._read, self._places


def members_in_turn(
    variables: Sequence[Any],
    epochs: Callable[..., dict[str, Any]],
    like: Mapping[str, Any],
    stacked: Sequence[Any],
    read: Any,
    places: Any,
    orders: Any,
    count: Any,
) -> tuple[list[Any], dict[str, Any]]:
    """Train members one after another through a model's variables; to be traced.

    Args:
        variables: those of the model.
        epochs: the epochs of the member whose state the variables hold:
            ``(training, held_out, held_out_order, orders, count) -> logs``, each of shape ``(epochs,)``.
        like: tensors like the logs of an epoch.
        stacked: the members' states, one tensor for each variable.
        read: what all members read, or a stack of what some of them read.
        places: which of them each member reads, int32 of shape ``(members,)``; None where all read the same.
        orders: int32 of shape ``(members, epochs, places)``.
        count: how many epochs to run.

    Returns:
        The members' states afterwards, and their logs, of shape ``(members, epochs)``.
    """
    members, length = orders.shape[0], orders.shape[1]

    def train(given: Any) -> Any:
        state, order, place = given
        for variable, value in zip(variables, state, strict=True):
            variable.assign(value)
        rows = read if places is None else entry(read, place)
        logs = epochs(*rows, order, count)
        return [tf.identity(variable.value) for variable in variables], logs

    which = tf.zeros((members,), tf.int32) if places is None else places
    after, logs = tf.map_fn(
        train,
        (list(stacked), orders, which),
        fn_output_signature=(
            [tf.TensorSpec(each.shape[1:], each.dtype) for each in stacked],
            {name: tf.TensorSpec((length,), value.dtype) for name, value in like.items()},
        ),
        # One iteration after the other: all go through the same variables.
        parallel_iterations=1,
    )
    return after, logs


def entry(stacked: Any, place: Any) -> Any:
    """One of the structures that were stacked."""
    return tf.nest.map_structure(lambda tensor: None if tensor is None else tensor[place], stacked)


def _distinct(rows: Sequence[OnDevice]) -> list[OnDevice]:
    return list({id(part): part for part in rows}.values())
