"""Passes over samples on TensorFlow: loops over steps through a model's own variables, to be traced."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from portable_models._backend.program import (
    Part,
    Pass,
    batch_of,
    may_log_otherwise,
    scalar_logs,
    step_logs_differ,
    tracing,
)
from portable_models._backend.tensorflow_loops import any_size, each_size, of_unknown_size
from portable_models._keras.compile_settings import has_losses_by_output


class Passes:
    """Training and validation passes of a model.

    Args:
        model: a built and compiled model.
        training: how it goes through the samples that it is trained on.
        validation: how it goes through those that are held out, if any.
        of_any_size: whether a step is traced once, for batches of any size.
    """

    def __init__(
        self, model: Any, training: Pass, validation: Pass | None, of_any_size: bool
    ) -> None:
        self._model = model
        self._training = training
        self._validation = validation
        self.of_any_size = of_any_size
        # Keras weighs the loss of each output by the size of a batch, where it knows one when it traces.
        self._weighs_by_size = has_losses_by_output(model)
        self._keeps_logs: dict[bool, dict[str, Any]] = {}

    def epochs(
        self, part: Part, training: Any, held_out: Any, every: Any, orders: Any, count: Any
    ) -> dict[str, Any]:
        """The first ``count`` epochs; their logs by name, of shape ``(epochs,)``."""
        passes = self._ways(part, training, held_out)

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

        like = self.logs_like(part, training, held_out, every, orders)
        logs = {name: tf.zeros((orders.shape[0],), value.dtype) for name, value in like.items()}
        # One iteration after the other: a step begins with the weights that the last one left.
        _, logs = tf.while_loop(
            lambda number, _: number < count,
            epoch,
            [tf.constant(0), logs],
            parallel_iterations=1,
        )
        return dict(logs)

    def logs_like(
        self, part: Part, training: Any, held_out: Any, every: Any, orders: Any
    ) -> dict[str, Any]:
        """Tensors like the logs of an epoch."""
        names: dict[str, Any] = {}
        for way, prefix, tensors in self._ways(part, training, held_out):
            order = orders[0] if way is self._training else every
            names |= scalar_logs(self._logs_of_pass(way, tensors, order), prefix)
        return names

    def _ways(self, part: Part, training: Any, held_out: Any) -> list[tuple[Pass, str, Any]]:
        passes: list[tuple[Pass, str, Any]] = []
        if part is not Part.VALIDATION:
            passes.append((self._training, "", training))
        if part is not Part.TRAINING and self._validation is not None:
            passes.append((self._validation, "val_", held_out))
        return passes

    def _logs_of_pass(self, way: Pass, tensors: Any, order: Any) -> dict[str, Any]:
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
        loop = any_size if self.of_any_size and uneven else each_size
        own = loop(way, order, once, own)
        if like:
            return own
        with tracing("get_metrics_result"):
            return dict(model.get_metrics_result())
