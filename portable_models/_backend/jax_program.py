"""Epochs on JAX: loops over Keras's stateless training step, mapped over members."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import keras
import numpy as np
from numpy.typing import NDArray

from portable_models._backend.program import (
    OnDevice,
    Orders,
    Pass,
    Program,
    State,
    flat_metrics,
    variables_of,
)


class JaxProgram(Program):
    """``lax.scan`` over the batches of an epoch, in a loop over epochs, under ``vmap`` for members."""

    def __init__(self, model: Any, training: Pass, validation: Pass | None) -> None:
        self._model = model
        self._training = training
        self._validation = validation
        self._variables = variables_of(model)
        self._places = {id(variable): number for number, variable in enumerate(self._variables)}
        self._compiled = jax.jit(self._members)

    def prepare(self, states: Sequence[State], rows: Sequence[OnDevice], orders: Orders) -> None:
        # The number of epochs is an argument, so running none of them compiles all.
        jax.block_until_ready(self._run(states, rows, orders, 0))

    def run(
        self, states: Sequence[State], rows: Sequence[OnDevice], orders: Orders, count: int
    ) -> tuple[list[State], list[dict[str, NDArray[Any]]]]:
        after, logs = self._run(states, rows, orders, count)
        found = {name: np.asarray(values) for name, values in logs.items()}
        return after, [
            {name: values[member, :count] for name, values in found.items()}
            for member in range(len(states))
        ]

    def _run(
        self, states: Sequence[State], rows: Sequence[OnDevice], orders: Orders, count: int
    ) -> Any:
        shared = all(each is rows[0] for each in rows)
        parts = [
            (each.training, each.held_out, each.held_out_order)
            for each in (rows[:1] if shared else rows)
        ]
        return self._compiled([list(state) for state in states], parts, orders, count)

    def _members(self, states: Any, parts: Any, orders: Any, count: Any) -> Any:
        """Epochs of every member; rows that all of them share are given once."""
        if len(states) == 1:
            training, held_out, every = parts[0]
            state, logs = self._epochs(states[0], training, held_out, every, orders[0], count)
            return [state], {name: values[None] for name, values in logs.items()}
        stacked = [jax.numpy.stack(values) for values in zip(*states, strict=True)]
        shared = len(parts) == 1
        rows = parts[0] if shared else jax.tree.map(lambda *each: jax.numpy.stack(each), *parts)
        axis = None if shared else 0
        after, logs = jax.vmap(self._epochs, in_axes=(0, axis, axis, axis, 0, None))(
            stacked, *rows, orders, count
        )
        members = range(len(states))
        return [[values[member] for values in after] for member in members], logs

    def _epochs(
        self, state: Any, training: Any, held_out: Any, every: Any, orders: Any, count: Any
    ) -> Any:
        def epoch(number: Any, carried: Any) -> Any:
            state, logs = carried
            state, found = self._epoch(state, training, held_out, every, orders[number])
            return state, {name: logs[name].at[number].set(found[name]) for name in logs}

        names = self._metrics(state)
        if self._validation is not None:
            names |= self._metrics(state, "val_")
        logs = {
            name: jax.numpy.zeros((orders.shape[0],), value.dtype) for name, value in names.items()
        }
        return jax.lax.fori_loop(0, count, epoch, (state, logs))

    def _epoch(self, state: Any, training: Any, held_out: Any, every: Any, order: Any) -> Any:
        model = self._model
        groups = [
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
            model.metrics_variables,
        ]
        state = self._reset(state)
        state = self._through(model.train_step, groups, self._training, state, training, order)
        logs = self._metrics(state)
        if self._validation is not None:
            groups = [groups[0], groups[1], groups[3]]
            state = self._reset(state)
            state = self._through(model.test_step, groups, self._validation, state, held_out, every)
            logs |= self._metrics(state, "val_")
        return state, logs

    def _through(
        self,
        step: Callable[[Any, Any], tuple[Any, Any]],
        groups: Sequence[Sequence[Any]],
        way: Pass,
        state: Any,
        tensors: Any,
        order: Any,
    ) -> Any:
        places = [[self._places[id(variable)] for variable in group] for group in groups]

        def one(state: Any, indices: Any) -> tuple[Any, None]:
            parts = tuple([state[place] for place in group] for group in places)
            _, after = step(parts, way.gather(tensors, indices))
            state = list(state)
            for group, values in zip(places, after, strict=True):
                for place, value in zip(group, values, strict=True):
                    state[place] = value
            return state, None

        batches, rest = way.batches(order)
        if batches.shape[0]:
            state, _ = jax.lax.scan(one, state, batches)
        if rest.shape[0]:
            state, _ = one(state, rest)
        return state

    def _reset(self, state: Any) -> Any:
        with self._scope(state) as scope:
            self._model.reset_metrics()
        return [
            value if (new := scope.get_current_value(variable)) is None else new
            for variable, value in zip(self._variables, state, strict=True)
        ]

    def _metrics(self, state: Any, prefix: str = "") -> dict[str, Any]:
        with self._scope(state):
            found = flat_metrics(self._model, prefix)
        return {name: jax.numpy.asarray(value) for name, value in found.items()}

    def _scope(self, state: Any) -> Any:
        return keras.StatelessScope(state_mapping=list(zip(self._variables, state, strict=True)))
