"""Passes over samples on JAX: loops over Keras's stateless steps, to be traced."""

from __future__ import annotations

from typing import Any

import jax
import keras

from portable_models._backend.program import (
    Part,
    Pass,
    batch_of,
    may_log_otherwise,
    scalar_logs,
    step_logs_differ,
    tracing,
    variables_of,
)


class Passes:
    """Training and validation passes of a model; a state is the list of its variables' values."""

    def __init__(self, model: Any, training: Pass, validation: Pass | None) -> None:
        self._model = model
        self._training = training
        self._validation = validation
        self._variables = variables_of(model)
        self._places = {id(variable): number for number, variable in enumerate(self._variables)}
        self._keeps_logs: dict[bool, bool] = {}

    def ways(self, part: Part) -> list[tuple[Pass, str]]:
        """The passes of an epoch, with the prefix of their logs."""
        ways = [] if part is Part.VALIDATION else [(self._training, "")]
        if part is not Part.TRAINING and self._validation is not None:
            ways.append((self._validation, "val_"))
        return ways

    def through(
        self, way: Pass, state: Any, tensors: Any, order: Any
    ) -> tuple[Any, dict[str, Any]]:
        def one(carried: Any, places: Any) -> tuple[Any, None]:
            state, logs = self.step(way, carried[0], tensors, places)
            return (state, self.kept(way, logs)), None

        state = self.reset(state)
        shapes = self.log_shapes(way, state, tensors, order) if self._keeps(way) else {}
        own = {name: jax.numpy.zeros(each.shape, each.dtype) for name, each in shapes.items()}
        batches, rest = way.batches(order)
        if batches.shape[0]:
            (state, own), _ = jax.lax.scan(one, (state, own), batches)
        if rest.shape[0]:
            (state, own), _ = one((state, own), rest)
        return state, self.logs(way, state, own)

    def step(self, way: Pass, state: Any, tensors: Any, places: Any) -> tuple[Any, Any]:
        """The state after a step of Keras, which takes it apart by what a variable is for, and its logs."""
        model, trains = self._model, way is self._training
        groups = [
            model.trainable_variables,
            model.non_trainable_variables,
            *([model.optimizer.variables] if trains else []),
            model.metrics_variables,
        ]
        numbers = [[self._places[id(variable)] for variable in group] for group in groups]
        parts = tuple([state[number] for number in group] for group in numbers)
        name = "train_step" if trains else "test_step"
        batch = batch_of(way, tensors, places)
        with tracing(name):
            logs, after = getattr(model, name)(parts, batch)
            state = list(state)
            for group, values in zip(numbers, after, strict=True):
                for number, value in zip(group, values, strict=True):
                    state[number] = value
        return state, logs

    def _keeps(self, way: Pass) -> bool:
        """Whether the last step's own logs are reported, and so are carried along."""
        return self._keeps_logs.get(way is self._training, False)

    def kept(self, way: Pass, logs: Any) -> dict[str, Any]:
        return {name: jax.numpy.asarray(logs[name]) for name in logs} if self._keeps(way) else {}

    def log_shapes(self, way: Pass, state: Any, tensors: Any, order: Any) -> dict[str, Any]:
        """What is reported of a pass: arrays, or only their shapes and dtypes."""
        trains = way is self._training
        if not may_log_otherwise(self._model):
            return self._metrics(state)
        batches, rest = way.batches(order)
        places = batches[0] if batches.shape[0] else rest
        logs, differ = {}, False

        def step(state: Any, tensors: Any, places: Any) -> Any:
            nonlocal differ
            _, logs = self.step(way, state, tensors, places)
            differ = step_logs_differ(self._model, logs, "train_step" if trains else "test_step")
            return {name: jax.numpy.asarray(value) for name, value in scalar_logs(logs).items()}

        logs = jax.eval_shape(step, list(state), tensors, places)
        self._keeps_logs[trains] = differ
        return logs if differ else self._metrics(state)

    def logs(self, way: Pass, state: Any, own: Any) -> dict[str, Any]:
        return dict(own) if self._keeps(way) else self._metrics(state)

    def reset(self, state: Any) -> Any:
        with self._scope(state) as scope, tracing("reset_metrics"):
            self._model.reset_metrics()
        return [
            value if (new := scope.get_current_value(variable)) is None else new
            for variable, value in zip(self._variables, state, strict=True)
        ]

    def _metrics(self, state: Any) -> dict[str, Any]:
        with self._scope(state), tracing("get_metrics_result"):
            found = scalar_logs(self._model.get_metrics_result())
        return {name: jax.numpy.asarray(value) for name, value in found.items()}

    def _scope(self, state: Any) -> Any:
        return keras.StatelessScope(state_mapping=list(zip(self._variables, state, strict=True)))
