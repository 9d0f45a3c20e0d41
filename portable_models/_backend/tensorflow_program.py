"""Epochs on TensorFlow: loops inside one graph, over a model's own variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from portable_models._backend.memory import is_aligned
from portable_models._backend.program import (
    OnDevice,
    Orders,
    Pass,
    Program,
    State,
    flat_metrics,
    variables_of,
)

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


def taken_over(array: NDArray[Any]) -> Any:
    """A tensor that shares an array's memory, which nobody may write to any more; or the array itself."""
    # An accelerator has memory of its own.
    if not is_aligned(array) or tf.config.list_physical_devices("GPU"):
        return array
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


class TensorFlowProgram(Program):
    """Members are trained one after another: a step costs a few microseconds, and XLA has no map.

    Where a program does not go through XLA, which must know all shapes, whole batches and the one that is
    left over are traced as one step of unknown size: it takes a third less to make a program.
    """

    def __init__(self, model: Any, training: Pass, validation: Pass | None, epochs: int) -> None:
        self._model = model
        self._training = training
        self._validation = validation
        self._variables = variables_of(model)
        steps = epochs * max(training.steps, 1)
        weights = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
        self._pays = steps >= PAYS_FROM or steps * weights >= PAYS_FROM_WEIGHTS
        self._of_any_size = not self._pays
        self._compiled = self._made()

    def prepare(self, states: Sequence[State], rows: Sequence[OnDevice], orders: Orders) -> None:
        # The number of epochs is an argument, so running none of them compiles all.
        try:
            self.run(states[:1], rows, orders, 0)
            return
        except Exception as error:
            lacking = isinstance(
                error, tf.errors.UnimplementedError | tf.errors.InvalidArgumentError
            )
            if not self._of_any_size and not (self._pays and lacking):
                raise
        # XLA lacks some operations that the executor has, such as max-pooling's derivative while operations
        # must be deterministic; and a layer may want to know how large a batch is. What else is wrong with a
        # step is raised again.
        self._pays = self._of_any_size = False
        self._compiled = self._made()
        self.run(states[:1], rows, orders, 0)

    def _made(self) -> Any:
        return tf.function(self._traced, jit_compile=self._pays, autograph=False)

    def run(
        self, states: Sequence[State], rows: Sequence[OnDevice], orders: Orders, count: int
    ) -> tuple[list[State], list[dict[str, NDArray[Any]]]]:
        if len(states) == 1 and all(
            variable.value is value
            for variable, value in zip(self._variables, states[0], strict=True)
        ):
            return self._one_by_one(states, rows, orders, count)
        # The model whose variables are used has values of its own to keep.
        kept = [tf.identity(variable.value) for variable in self._variables]
        # Its own state may be among those given, as the very variables that the others go through.
        given = [[tf.identity(value) for value in state] for state in states]
        try:
            return self._one_by_one(given, rows, orders, count)
        finally:
            for variable, value in zip(self._variables, kept, strict=True):
                variable.assign(value)

    def _one_by_one(
        self, states: Sequence[State], rows: Sequence[OnDevice], orders: Orders, count: int
    ) -> tuple[list[State], list[dict[str, NDArray[Any]]]]:
        after, logs = [], []
        for state, each, order in zip(states, rows, orders, strict=False):
            for variable, value in zip(self._variables, state, strict=True):
                if variable.value is not value:
                    variable.assign(value)
            found = self._compiled(
                each.training,
                each.held_out,
                each.held_out_order,
                tf.constant(taken_over(order)),
                tf.constant(count),
            )
            # A copy: the variables go on to the next member.
            after.append([tf.identity(variable.value) for variable in self._variables])
            logs.append({name: values.numpy()[:count] for name, values in found.items()})
        return after, logs

    def _traced(self, *given: Any) -> Any:
        token = through_xla.set(self._pays)
        try:
            return self._epochs(*given)
        finally:
            through_xla.reset(token)

    def _epochs(self, training: Any, held_out: Any, every: Any, orders: Any, count: Any) -> Any:
        model = self._model
        through = _through_all if self._of_any_size else _through

        def epoch(number: Any, logs: Any) -> Any:
            model.reset_metrics()
            through(model.train_step, self._training, training, orders[number])
            found = flat_metrics(model)
            if self._validation is not None:
                model.reset_metrics()
                through(model.test_step, self._validation, held_out, every)
                found |= flat_metrics(model, "val_")
            return number + 1, {
                name: tf.tensor_scatter_nd_update(logs[name], [[number]], [found[name]])
                for name in logs
            }

        names = flat_metrics(model)
        if self._validation is not None:
            names |= flat_metrics(model, "val_")
        logs = {name: tf.zeros((orders.shape[0],), value.dtype) for name, value in names.items()}
        # One iteration after the other: a step begins with the weights that the last one left.
        _, logs = tf.while_loop(
            lambda number, _: number < count,
            epoch,
            [tf.constant(0), logs],
            parallel_iterations=1,
        )
        return logs


def _through(step: Callable[[Any], Any], way: Pass, tensors: Any, order: Any) -> None:
    batches, rest = way.batches(order)

    def one(number: Any) -> Any:
        step(way.gather(tensors, batches[number]))
        return number + 1

    if batches.shape[0]:
        tf.while_loop(
            lambda number: number < batches.shape[0], one, [tf.constant(0)], parallel_iterations=1
        )
    if rest.shape[0]:
        step(way.gather(tensors, rest))


def _through_all(step: Callable[[Any], Any], way: Pass, tensors: Any, order: Any) -> None:
    if not way.width or way.count % way.batch_size == 0:
        # One size is known.
        _through(step, way, tensors, order)
        return
    count, places = -(-way.count // way.batch_size), order.shape[0]

    def one(number: Any) -> Any:
        first = number * way.width
        step(way.gather(tensors, order[first : tf.minimum(first + way.width, places)]))
        return number + 1

    tf.while_loop(lambda number: number < count, one, [tf.constant(0)], parallel_iterations=1)
