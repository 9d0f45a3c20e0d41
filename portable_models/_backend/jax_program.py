"""Epochs on JAX: loops over Keras's stateless training step, mapped over members."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import keras
import numpy as np
from numpy.typing import NDArray

from portable_models._backend.jax_members import apart, at_once, kind, same, split, stack
from portable_models._backend.program import (
    OnDevice,
    Orders,
    Pass,
    Program,
    State,
    flat_metrics,
    variables_of,
)

SLOW_IN_LOOPS = ("conv_general_dilated", "reduce_window", "select_and_scatter")
"""Primitives, by how their names begin, that XLA runs on all cores outside of a loop, and on one inside.

Measured: a small CNN on two cores takes up to 1.5 times as long in a loop as step by step.
"""


class JaxProgram(Program):
    """``lax.scan`` over the batches of an epoch, in a loop over epochs, under ``vmap`` for members.

    A loop runs on one core of a CPU, so members are mapped over in as many parts as there are threads. Steps
    that are slow in a loop are called one by one, and members in turn.
    """

    def __init__(
        self, model: Any, training: Pass, validation: Pass | None, threads: int = 1
    ) -> None:
        self._model = model
        self._training = training
        self._validation = validation
        self._threads = threads
        self._variables = variables_of(model)
        self._places = {id(variable): number for number, variable in enumerate(self._variables)}
        self._alone = jax.jit(self._epochs)
        self._side_by_side = jax.jit(self._members)
        self._compiled: dict[Any, Any] = {}
        self._in_loops = True
        self._stacked_rows: dict[int, tuple[Sequence[OnDevice], Any]] = {}
        self._ready: dict[str, Any] = {}

    def prepare(self, states: Sequence[State], rows: Sequence[OnDevice], orders: Orders) -> None:
        part = split(len(states), self._threads)[0]
        # The number of epochs is an argument, so what is compiled for none of them serves any.
        function, arguments = self._call_for(part, states, rows, orders, 0)
        traced = function.trace(*arguments)
        self._in_loops = jax.default_backend() != "cpu" or not _holds(traced.jaxpr, SLOW_IN_LOOPS)
        if self._in_loops:
            self._compiled.setdefault(kind(arguments), traced.lower().compile())
        else:
            self._stacked_rows.clear()
            # One batch of each kind: a whole epoch may take long.
            self._one_by_one(states[0], rows[0], orders[0, :1], most=1)

    def run(
        self, states: Sequence[State], rows: Sequence[OnDevice], orders: Orders, count: int
    ) -> tuple[list[State], list[dict[str, NDArray[Any]]]]:
        if not self._in_loops:
            each = [
                self._one_by_one(state, parts, order[:count])
                for state, parts, order in zip(states, rows, orders, strict=True)
            ]
            return [state for state, _ in each], [logs for _, logs in each]
        parts = split(len(states), self._threads)
        calls = [self._call_for(part, states, rows, orders, count) for part in parts]
        ready = [(self._for(function, given), given) for function, given in calls]
        after: list[State] = []
        found: list[dict[str, NDArray[Any]]] = []
        for part, (values_after, logs) in zip(parts, at_once(ready), strict=True):
            arrays = {name: np.asarray(values) for name, values in logs.items()}
            if len(part) == 1:
                after.append(values_after)
                found.append({name: values[:count] for name, values in arrays.items()})
                continue
            after += apart(values_after, len(part))
            found += [
                {name: values[number, :count] for name, values in arrays.items()}
                for number in range(len(part))
            ]
        # What fills up the last part comes last.
        return after[: len(states)], found[: len(states)]

    def _call_for(
        self,
        part: Sequence[int],
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        count: int,
    ) -> tuple[Any, tuple[Any, ...]]:
        """The function for so many members, and what it is given for these."""
        if len(part) == 1:
            (only,) = part
            return self._alone, (list(states[only]), *_read(rows[only]), orders[only], count)
        stacked = [stack(values) for values in zip(*(states[each] for each in part), strict=True)]
        reads = (
            (_read(rows[0]), None)
            if all(each is rows[0] for each in rows)
            else (None, self._stacked(part[0], [rows[each] for each in part]))
        )
        return self._side_by_side, (stacked, *reads, orders[list(part)], count)

    def _stacked(self, first: int, rows: Sequence[OnDevice]) -> Any:
        """What the members of a part read, by its first member; kept, as it is the same each time."""
        held = self._stacked_rows.get(first)
        if held is None or not same(held[0], rows):
            held = rows, jax.tree.map(lambda *each: stack(each), *map(_read, rows))
            self._stacked_rows[first] = held
        return held[1]

    def _for(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """A function compiled for arguments like these, which it is but for devices that have changed."""
        key = kind(arguments)
        if key not in self._compiled:
            self._compiled[key] = function.trace(*arguments).lower().compile()
        return self._compiled[key]

    def _one_by_one(
        self, state: State, rows: OnDevice, orders: Orders, most: int | None = None
    ) -> tuple[State, dict[str, NDArray[Any]]]:
        """Epochs of one member, step by step; at most so many whole batches of each pass."""
        model, logs = self._model, []
        for order in orders:
            state = self._each(model.train_step, self._training, state, rows.training, order, most)
            found = self._call("metrics", self._metrics, state)
            if self._validation is not None:
                every = rows.held_out_order
                state = self._each(
                    model.test_step, self._validation, state, rows.held_out, every, most
                )
                found |= self._call("val_metrics", partial(self._metrics, prefix="val_"), state)
            logs.append(found)
        names = logs[0] if logs else {}
        return state, {name: np.asarray([float(each[name]) for each in logs]) for name in names}

    def _each(
        self,
        step: Callable[[Any, Any], tuple[Any, Any]],
        way: Pass,
        state: State,
        tensors: Any,
        order: Any,
        most: int | None,
    ) -> State:
        def one(state: State, tensors: Any, places: Any) -> Any:
            return self._step(step, way, state, tensors, places)

        state = list(self._call("reset", self._reset, state))
        batches, rest = way.batches(jax.numpy.asarray(order))
        for places in (*batches[:most], *([rest] if rest.shape[0] else [])):
            state = self._call(f"step {way is self._training}", one, state, tensors, places)
        return state

    def _call(self, name: str, function: Callable[..., Any], *given: Any) -> Any:
        """``function`` compiled, which is always the same one for a name."""
        if name not in self._ready:
            self._ready[name] = jax.jit(function)
        found: Any = self._ready[name](*given)
        return found

    def _members(self, states: Any, shared: Any, own: Any, orders: Any, count: Any) -> Any:
        """Epochs of every member; rows that all of them share are given once."""
        axis = None if own is None else 0
        rows = shared if own is None else own
        return jax.vmap(self._epochs, in_axes=(0, axis, axis, axis, 0, None))(
            states, *rows, orders, count
        )

    def _epochs(
        self, state: Any, training: Any, held_out: Any, every: Any, orders: Any, count: Any
    ) -> Any:
        def epoch(number: Any, carried: Any) -> Any:
            state, logs = carried
            state, found = self._epoch(state, training, held_out, every, orders[number])
            return state, {
                name: logs[name].at[number].set(found[name], mode="promise_in_bounds")
                for name in logs
            }

        names = self._metrics(state)
        if self._validation is not None:
            names |= self._metrics(state, "val_")
        logs = {
            name: jax.numpy.zeros((orders.shape[0],), value.dtype) for name, value in names.items()
        }
        return jax.lax.fori_loop(0, count, epoch, (state, logs))

    def _epoch(self, state: Any, training: Any, held_out: Any, every: Any, order: Any) -> Any:
        model = self._model
        state = self._through(model.train_step, self._training, state, training, order)
        logs = self._metrics(state)
        if self._validation is not None:
            state = self._through(model.test_step, self._validation, state, held_out, every)
            logs |= self._metrics(state, "val_")
        return state, logs

    def _through(
        self,
        step: Callable[[Any, Any], tuple[Any, Any]],
        way: Pass,
        state: Any,
        tensors: Any,
        order: Any,
    ) -> Any:
        def one(state: Any, places: Any) -> tuple[Any, None]:
            return self._step(step, way, state, tensors, places), None

        state = self._reset(state)
        batches, rest = way.batches(order)
        if batches.shape[0]:
            state, _ = jax.lax.scan(one, state, batches)
        return one(state, rest)[0] if rest.shape[0] else state

    def _step(
        self,
        step: Callable[[Any, Any], tuple[Any, Any]],
        way: Pass,
        state: Any,
        tensors: Any,
        places: Any,
    ) -> Any:
        """The state after a step of Keras, which takes it apart by what a variable is for."""
        model = self._model
        groups = [
            model.trainable_variables,
            model.non_trainable_variables,
            *([model.optimizer.variables] if way is self._training else []),
            model.metrics_variables,
        ]
        numbers = [[self._places[id(variable)] for variable in group] for group in groups]
        parts = tuple([state[number] for number in group] for group in numbers)
        _, after = step(parts, way.gather(tensors, places))
        state = list(state)
        for group, values in zip(numbers, after, strict=True):
            for number, value in zip(group, values, strict=True):
                state[number] = value
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


def _read(rows: OnDevice) -> tuple[Any, Any, Any]:
    return rows.training, rows.held_out, rows.held_out_order


def _holds(jaxpr: Any, primitives: tuple[str, ...]) -> bool:
    """Whether an expression, or one inside of it, holds one of these primitives."""
    return any(
        equation.primitive.name.startswith(primitives)
        or any(_holds(inner, primitives) for inner in _inside(equation.params))
        for equation in getattr(jaxpr, "jaxpr", jaxpr).eqns
    )


def _inside(parameters: Mapping[str, Any]) -> Iterator[Any]:
    for value in parameters.values():
        for each in value if isinstance(value, (tuple, list)) else [value]:
            if hasattr(getattr(each, "jaxpr", each), "eqns"):
                yield each
