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
    State,
    batch_of,
    first_line,
    may_log_otherwise,
    scalar_logs,
    step_logs_differ,
    tracing,
    variables_of,
)
from portable_models._backend.tensorflow_devices import computing_kind
from portable_models._backend.tensorflow_loops import any_size, each_size, of_unknown_size
from portable_models._keras.compile_settings import has_losses_by_output, jit_compile_is_auto

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
        pays = steps >= PAYS_FROM or steps * weights >= PAYS_FROM_WEIGHTS
        # Both were measured on CPUs. Elsewhere XLA keeps all of an epoch on the device, where the executor
        # would place what is integer on the host.
        pays = pays or computing_kind() != "cpu"
        # "auto" leaves the choice to us. On a CPU Keras turns it into False; XLA changes rounding only.
        self._xla = pays and bool(model.jit_compile or jit_compile_is_auto(model))
        # A step of the user's own may ask how many rows a batch has.
        self._of_any_size = not self._xla and not may_log_otherwise(model)
        # Keras weighs the loss of each output by the size of a batch, where it knows one when it traces.
        self._weighs_by_size = has_losses_by_output(model)
        self._keeps_logs: dict[bool, dict[str, Any]] = {}
        self._compiled: dict[Part, Any] = {}

    def prepare(
        self,
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        part: Part = Part.BOTH,
    ) -> None:
        # The number of epochs is an argument, so running none of them compiles all.
        try:
            self._run(states[:1], rows, orders, 0, part)
            return
        except (NotCompilableError, tf.errors.OpError) as error:
            lacking = isinstance(
                error, tf.errors.UnimplementedError | tf.errors.InvalidArgumentError
            )
            if not self._of_any_size and not (self._xla and lacking):
                if isinstance(error, NotCompilableError):
                    raise
                raise NotCompilableError(
                    f"TensorFlow cannot compile it: {first_line(error)}"
                ) from None
        # XLA lacks some operations that the executor has, such as max-pooling's derivative while operations
        # must be deterministic; and a layer may want to know how large a batch is. What else is wrong with a
        # step is raised again.
        self._xla = self._of_any_size = False
        self._compiled.clear()
        try:
            self._run(states[:1], rows, orders, 0, part)
        except tf.errors.OpError as error:
            raise NotCompilableError(f"TensorFlow cannot compile it: {first_line(error)}") from None

    def _made(self, part: Part) -> Any:
        if part not in self._compiled:
            traced = partial(self._traced, part)
            self._compiled[part] = tf.function(traced, jit_compile=self._xla, autograph=False)
        return self._compiled[part]

    def run(
        self,
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        count: int,
        part: Part = Part.BOTH,
    ) -> tuple[list[State], list[dict[str, NDArray[Any]]]]:
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
    ) -> tuple[list[State], list[dict[str, NDArray[Any]]]]:
        if len(states) == 1 and all(
            variable.value is value
            for variable, value in zip(self._variables, states[0], strict=True)
        ):
            return self._one_by_one(states, rows, orders, count, part)
        # The model whose variables are used has values of its own to keep.
        kept = [tf.identity(variable.value) for variable in self._variables]
        # Its own state may be among those given, as the very variables that the others go through.
        given = [[tf.identity(value) for value in state] for state in states]
        try:
            return self._one_by_one(given, rows, orders, count, part)
        finally:
            for variable, value in zip(self._variables, kept, strict=True):
                variable.assign(value)

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
            return self._epochs(part, *given)
        finally:
            through_xla.reset(token)

    def _epochs(
        self, part: Part, training: Any, held_out: Any, every: Any, orders: Any, count: Any
    ) -> Any:
        passes: list[tuple[Pass, str, Any]] = []
        if part is not Part.VALIDATION:
            passes.append((self._training, "", training))
        if part is not Part.TRAINING and self._validation is not None:
            passes.append((self._validation, "val_", held_out))

        def epoch(number: Any, logs: Any) -> Any:
            found: dict[str, Any] = {}
            for way, prefix, tensors in passes:
                order = orders[number] if way is self._training else every
                found |= scalar_logs(self._through(way, tensors, order), prefix)
            return number + 1, {
                name: tf.tensor_scatter_nd_update(
                    logs[name], [[number]], [tf.cast(found[name], logs[name].dtype)]
                )
                for name in logs
            }

        names: dict[str, Any] = {}
        for way, prefix, tensors in passes:
            order = orders[0] if way is self._training else every
            names |= scalar_logs(self._logs_like(way, tensors, order), prefix)
        logs = {name: tf.zeros((orders.shape[0],), value.dtype) for name, value in names.items()}
        # One iteration after the other: a step begins with the weights that the last one left.
        _, logs = tf.while_loop(
            lambda number, _: number < count,
            epoch,
            [tf.constant(0), logs],
            parallel_iterations=1,
        )
        return logs

    def _logs_like(self, way: Pass, tensors: Any, order: Any) -> dict[str, Any]:
        """Tensors like those that a pass reports."""
        with tracing("get_metrics_result"):
            metrics = scalar_logs(self._model.get_metrics_result())
        found = {name: tf.convert_to_tensor(value) for name, value in metrics.items()}
        if not may_log_otherwise(self._model):
            return found
        batches, rest = way.batches(order)
        places = batches[0] if batches.shape[0] else rest
        name = self._name(way)

        # Traced apart, and never run.
        @tf.function(autograph=False)  # type: ignore[untyped-decorator]  # tensorflow is not followed
        def once() -> Any:
            with tracing(name):
                return getattr(self._model, name)(batch_of(way, tensors, places))

        logs = once.get_concrete_function().structured_outputs
        if not step_logs_differ(self._model, logs, name):
            return found
        own = {
            key: tf.zeros((), value.dtype) if isinstance(value, tf.TensorSpec) else value
            for key, value in scalar_logs(logs).items()
        }
        self._keeps_logs[way is self._training] = own
        return {key: tf.convert_to_tensor(value) for key, value in own.items()}

    def _name(self, way: Pass) -> str:
        return "train_step" if way is self._training else "test_step"

    def _through(self, way: Pass, tensors: Any, order: Any) -> dict[str, Any]:
        """Go through the batches of an order; the logs that Keras reports of the pass."""
        model, name = self._model, self._name(way)
        with tracing("reset_metrics"):
            model.reset_metrics()
        like = self._keeps_logs.get(way is self._training, {})

        def once(places: Any) -> dict[str, Any]:
            batch = batch_of(way, tensors, places)
            if self._weighs_by_size:
                batch = tf.nest.map_structure(of_unknown_size, batch)
            with tracing(name):
                logs = getattr(model, name)(batch)
            return {key: tf.cast(logs[key], tf.as_dtype(like[key].dtype)) for key in like}

        own = {key: tf.zeros((), value.dtype) for key, value in like.items()}
        uneven = bool(way.width) and way.count % way.batch_size != 0
        loop = any_size if self._of_any_size and uneven else each_size
        own = loop(way, order, once, own)
        if like:
            return own
        with tracing("get_metrics_result"):
            return dict(model.get_metrics_result())
