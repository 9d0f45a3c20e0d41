"""Epochs on TensorFlow: loops inside one graph, over a model's own variables."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from portable_models._backend.memory import is_aligned
from portable_models._backend.program import (
    NotCompilableError,
    OnDevice,
    Orders,
    Part,
    Pass,
    Program,
    ProgramFailedError,
    Stacked,
    State,
    first_line,
    may_log_otherwise,
    variables_of,
)
from portable_models._backend.tensorflow_devices import computing_kind
from portable_models._backend.tensorflow_members import (
    MOST_BYTES,
    StackedRows,
    apart,
    bytes_of,
    entry,
    members_in_turn,
    stack,
)
from portable_models._backend.tensorflow_step import Passes
from portable_models._keras.compile_settings import jit_compile_is_auto

PAYS_FROM = 5_000
"""Steps from which a program goes through XLA.

An operation of a graph takes XLA three milliseconds and more to compile, and TensorFlow's executor about a
microsecond longer at every step: both grow with the graph, so their ratio holds for small and large ones.
"""
PAYS_FROM_WEIGHTS = 200_000_000
"""Steps times weights from which it does, too.

XLA goes through the weights once in a step, the executor once for each operation of the optimizer: some 20
nanoseconds for each weight and step, and XLA compiles the largest of the reference experiments in 4 seconds.
"""

through_xla: ContextVar[bool] = ContextVar("through_xla", default=False)
"""Whether what is traced now will go through XLA."""


def without_copy(array: NDArray[Any]) -> Any:
    """A tensor that shares an array's memory, which nobody may write to any more; or the array itself."""
    # An accelerator has memory of its own.
    if not is_aligned(array) or computing_kind() != "cpu":
        return array
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


class TensorFlowProgram(Program):
    """Members are trained one after another, inside one graph: a step costs a few microseconds.

    Where a program does not go through XLA, which must know all shapes, whole batches and the one that is
    left over are traced as one step of unknown size: it takes a third less to make a program.
    """

    def __init__(self, model: Any, training: Pass, validation: Pass | None, epochs: int) -> None:
        self._variables = variables_of(model)
        steps = epochs * max(training.steps, 1)
        weights = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
        pays = steps >= PAYS_FROM or steps * weights >= PAYS_FROM_WEIGHTS
        # Both were measured on CPUs. Elsewhere XLA keeps all of an epoch on the device, where the executor
        # would place what is integer on the host.
        pays = pays or computing_kind() != "cpu"
        # "auto" leaves the choice to us. On a CPU Keras turns it into False; XLA changes rounding only.
        self._xla = pays and bool(model.jit_compile or jit_compile_is_auto(model))
        # A step of the user's own may ask how many rows a batch has.
        of_any_size = not self._xla and not may_log_otherwise(model)
        self._passes = Passes(model, training, validation, of_any_size)
        self._compiled: dict[Part, Any] = {}
        self._of_members: dict[Part, Any] = {}
        self._stacked_rows = StackedRows()

    def prepare(
        self,
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        part: Part = Part.BOTH,
    ) -> None:
        # The number of epochs is an argument, so running none of them compiles all.
        some = states if self._in_one_graph(states, rows) else states[:1]
        try:
            self._run(some, rows, orders, 0, part)
            return
        except (NotCompilableError, tf.errors.OpError) as error:
            lacking = isinstance(
                error, tf.errors.UnimplementedError | tf.errors.InvalidArgumentError
            )
            if not self._passes.of_any_size and not (self._xla and lacking):
                if isinstance(error, NotCompilableError):
                    raise
                raise NotCompilableError(
                    f"TensorFlow cannot compile it: {first_line(error)}"
                ) from None
        # XLA lacks some operations that the executor has, such as max-pooling's derivative while operations
        # must be deterministic; and a layer may want to know how large a batch is. What else is wrong with a
        # step is raised again.
        self._xla = self._passes.of_any_size = False
        self._compiled.clear()
        self._of_members.clear()
        try:
            self._run(some, rows, orders, 0, part)
        except tf.errors.OpError as error:
            raise NotCompilableError(f"TensorFlow cannot compile it: {first_line(error)}") from None

    def _made(self, part: Part) -> Any:
        if part not in self._compiled:
            traced = partial(self._traced, part)
            self._compiled[part] = tf.function(traced, jit_compile=self._xla, autograph=False)
        return self._compiled[part]

    def _made_of_members(self, part: Part) -> Any:
        if part not in self._of_members:
            traced = partial(self._traced_members, part)
            self._of_members[part] = tf.function(traced, jit_compile=self._xla, autograph=False)
        return self._of_members[part]

    def _in_one_graph(self, states: Sequence[State], rows: Sequence[OnDevice]) -> bool:
        """Whether the members go through one graph, which holds all of their states."""
        return len(states) > 1 and bytes_of(self._variables, states, rows) <= MOST_BYTES

    def run(
        self,
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        count: int,
        part: Part = Part.BOTH,
    ) -> tuple[Sequence[State], list[dict[str, NDArray[Any]]]]:
        # The graph changes the variables; after a failure they must be what they were.
        before = [tf.identity(variable.value) for variable in self._variables]
        try:
            return self._run(states, rows, orders, count, part)
        except tf.errors.OpError as error:
            for variable, value in zip(self._variables, before, strict=True):
                variable.assign(value)
            raise ProgramFailedError(first_line(error)) from error

    def _run(
        self,
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        count: int,
        part: Part,
    ) -> tuple[Sequence[State], list[dict[str, NDArray[Any]]]]:
        if len(states) == 1 and all(
            variable.value is value
            for variable, value in zip(self._variables, states[0], strict=True)
        ):
            return self._one_by_one(states, rows, orders, count, part)
        # The model whose variables are used has values of its own to keep.
        kept = [tf.identity(variable.value) for variable in self._variables]
        try:
            if self._in_one_graph(states, rows):
                return self._together(states, rows, orders, count, part)
            # Its own state may be among those given, as the very variables that the others go through.
            given = [[tf.identity(value) for value in state] for state in states]
            return self._one_by_one(given, rows, orders, count, part)
        finally:
            for variable, value in zip(self._variables, kept, strict=True):
                variable.assign(value)

    def _together(
        self,
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        count: int,
        part: Part,
    ) -> tuple[Sequence[State], list[dict[str, NDArray[Any]]]]:
        given = states.values if isinstance(states, Stacked) else stack(states)
        read, places = self._stacked_rows.of(rows)
        after, logs = self._made_of_members(part)(
            given, read, places, tf.constant(without_copy(orders)), tf.constant(count)
        )
        found = {name: values.numpy()[:, :count] for name, values in logs.items()}
        return Stacked(after, apart), [
            {name: values[member] for name, values in found.items()}
            for member in range(len(states))
        ]

    def _one_by_one(
        self,
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        count: int,
        part: Part,
    ) -> tuple[list[State], list[dict[str, NDArray[Any]]]]:
        after, logs = [], []
        for state, each, order in zip(states, rows, orders, strict=False):
            for variable, value in zip(self._variables, state, strict=True):
                if variable.value is not value:
                    variable.assign(value)
            found = self._made(part)(
                each.training,
                each.held_out,
                each.held_out_order,
                tf.constant(without_copy(order)),
                tf.constant(count),
            )
            # A copy: the variables go on to the next member.
            after.append([tf.identity(variable.value) for variable in self._variables])
            logs.append({name: values.numpy()[:count] for name, values in found.items()})
        return after, logs

    def _traced(self, part: Part, *given: Any) -> Any:
        token = through_xla.set(self._xla)
        try:
            return self._passes.epochs(part, *given)
        finally:
            through_xla.reset(token)

    def _traced_members(
        self, part: Part, stacked: Any, read: Any, places: Any, orders: Any, count: Any
    ) -> Any:
        training, held_out, every = read if places is None else entry(read, 0)
        like = self._passes.logs_like(part, training, held_out, every, orders[0])
        epochs = partial(self._traced, part)
        return members_in_turn(self._variables, epochs, like, stacked, read, places, orders, count)
