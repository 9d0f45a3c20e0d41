"""Epochs on JAX: loops over Keras's stateless training step, mapped over members."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from portable_models._backend.jax_members import apart, at_once, kind, same, split, stack
from portable_models._backend.jax_step import Passes
from portable_models._backend.program import (
    NotCompilableError,
    OnDevice,
    Orders,
    Part,
    Pass,
    Program,
    ProgramFailedError,
    State,
    first_line,
    scalar_logs,
)

SLOW_IN_LOOPS = ("conv_general_dilated", "reduce_window", "select_and_scatter")
"""Primitives, by how their names begin, that XLA runs on all cores outside of a loop, and on one inside.

Measured: a small CNN on two cores takes up to 1.5 times as long in a loop as step by step.
"""


class JaxProgram(Program):
    """``lax.scan`` over the batches of an epoch, in a loop over epochs, under ``vmap`` for members.

    A loop runs on one core of a CPU: there every member goes through the program of one, as many at a time as
    there are threads. Steps that are slow in a loop are called one by one, and members in turn.
    """

    def __init__(
        self, model: Any, training: Pass, validation: Pass | None, threads: int = 1
    ) -> None:
        self._training = training
        self._threads = threads
        self._passes = Passes(model, training, validation)
        self._alone = {part: jax.jit(partial(self._epochs, part=part)) for part in Part}
        self._side_by_side = {part: jax.jit(partial(self._members, part=part)) for part in Part}
        self._compiled: dict[Any, Any] = {}
        self._in_loops: dict[Part, bool] = {}
        self._stacked_rows: dict[int, tuple[Sequence[OnDevice], Any]] = {}
        self._ready: dict[str, Any] = {}

    def prepare(
        self,
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        part: Part = Part.BOTH,
    ) -> None:
        members = split(len(states))[0]
        # The number of epochs is an argument, so what is compiled for none of them serves any.
        function, arguments = self._call_for(members, states, rows, orders, 0, part)
        with _tracing():
            traced = function.trace(*arguments)
        on_cpu = jax.default_backend() == "cpu"
        self._in_loops[part] = not on_cpu or not _holds(traced.jaxpr, SLOW_IN_LOOPS)
        if self._in_loops[part]:
            with _compiling():
                self._compiled.setdefault((part, kind(arguments)), traced.lower().compile())
        else:
            self._stacked_rows.clear()
            # One batch of each kind: a whole epoch may take long.
            with _compiling():
                self._one_by_one(states[0], rows[0], orders[0, :1], part, most=1)

    def run(
        self,
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        count: int,
        part: Part = Part.BOTH,
    ) -> tuple[list[State], list[dict[str, NDArray[Any]]]]:
        try:
            return self._run(states, rows, orders, count, part)
        except jax.errors.JaxRuntimeError as error:
            raise ProgramFailedError(first_line(error)) from error
        except TypeError as error:
            # What a step has left of an earlier trace became an input that nobody gives.
            if "inputs but called with" not in str(error):
                raise
            raise ProgramFailedError("a tensor of one traced step is used in another") from error

    def _run(
        self,
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        count: int,
        part: Part,
    ) -> tuple[list[State], list[dict[str, NDArray[Any]]]]:
        if not self._in_loops.get(part, True):
            each = [
                self._one_by_one(state, parts, order[:count], part)
                for state, parts, order in zip(states, rows, orders, strict=True)
            ]
            return [state for state, _ in each], [logs for _, logs in each]
        groups = split(len(states))
        calls = [self._call_for(group, states, rows, orders, count, part) for group in groups]
        ready = [(self._for(part, function, given), given) for function, given in calls]
        after: list[State] = []
        found: list[dict[str, NDArray[Any]]] = []
        for group, (values_after, logs) in zip(groups, at_once(ready, self._threads), strict=True):
            arrays = {name: np.asarray(values) for name, values in logs.items()}
            if len(group) == 1:
                after.append(values_after)
                found.append({name: values[:count] for name, values in arrays.items()})
                continue
            after += apart(values_after, len(group))
            found += [
                {name: values[number, :count] for name, values in arrays.items()}
                for number in range(len(group))
            ]
        return after, found

    def _call_for(
        self,
        group: Sequence[int],
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        count: int,
        part: Part,
    ) -> tuple[Any, tuple[Any, ...]]:
        """The function for so many members, and what it is given for these."""
        if len(group) == 1:
            (only,) = group
            return self._alone[part], (list(states[only]), *_read(rows[only]), orders[only], count)
        stacked = [stack(values) for values in zip(*(states[each] for each in group), strict=True)]
        reads = (
            (_read(rows[0]), None)
            if all(each is rows[0] for each in rows)
            else (None, self._stacked(group[0], [rows[each] for each in group]))
        )
        return self._side_by_side[part], (stacked, *reads, orders[list(group)], count)

    def _stacked(self, first: int, rows: Sequence[OnDevice]) -> Any:
        """What the members of a group read, by its first member; kept, as it is the same each time."""
        held = self._stacked_rows.get(first)
        if held is None or not same(held[0], rows):
            held = rows, jax.tree.map(lambda *each: stack(each), *map(_read, rows))
            self._stacked_rows[first] = held
        return held[1]

    def _for(self, part: Part, function: Any, arguments: tuple[Any, ...]) -> Any:
        """The function compiled for arguments like these, unless devices have changed."""
        key = (part, kind(arguments))
        if key not in self._compiled:
            self._compiled[key] = function.trace(*arguments).lower().compile()
        return self._compiled[key]

    def _one_by_one(
        self, state: State, rows: OnDevice, orders: Orders, part: Part, most: int | None = None
    ) -> tuple[State, dict[str, NDArray[Any]]]:
        """Epochs of one member, step by step; at most so many whole batches of each pass."""
        logs: list[dict[str, Any]] = []
        for order in orders:
            found: dict[str, Any] = {}
            for way, prefix in self._passes.ways(part):
                trains = way is self._training
                tensors = rows.training if trains else rows.held_out
                places = order if trains else rows.held_out_order
                state, own = self._each(way, state, tensors, places, most)
                measured = self._call(f"logs {trains}", partial(self._passes.logs, way), state, own)
                found |= scalar_logs(measured, prefix)
            logs.append(found)
        names = logs[0] if logs else {}
        return state, {name: np.asarray([float(each[name]) for each in logs]) for name in names}

    def _each(
        self, way: Pass, state: State, tensors: Any, order: Any, most: int | None
    ) -> tuple[State, Any]:
        def one(state: State, tensors: Any, places: Any) -> Any:
            state, logs = self._passes.step(way, state, tensors, places)
            return state, self._passes.kept(way, logs)

        state, own = list(self._call("reset", self._passes.reset, state)), None
        batches, rest = way.batches(jax.numpy.asarray(order))
        for places in (*batches[:most], *([rest] if rest.shape[0] else [])):
            state, own = self._call(f"step {way is self._training}", one, state, tensors, places)
        return state, own

    def _call(self, name: str, function: Callable[..., Any], *given: Any) -> Any:
        """``function`` compiled, which is always the same one for a name."""
        if name not in self._ready:
            self._ready[name] = jax.jit(function)
        found: Any = self._ready[name](*given)
        return found

    def _members(
        self, states: Any, shared: Any, own: Any, orders: Any, count: Any, *, part: Part
    ) -> Any:
        """Epochs of every member; rows that all of them share are given once."""
        axis = None if own is None else 0
        rows = shared if own is None else own
        epochs = partial(self._epochs, part=part)
        return jax.vmap(epochs, in_axes=(0, axis, axis, axis, 0, None))(
            states, *rows, orders, count
        )

    def _epochs(
        self,
        state: Any,
        training: Any,
        held_out: Any,
        every: Any,
        orders: Any,
        count: Any,
        *,
        part: Part,
    ) -> Any:
        passes = [
            (way, prefix, training if way is self._training else held_out)
            for way, prefix in self._passes.ways(part)
        ]

        def epoch(number: Any, carried: Any) -> Any:
            state, logs = carried
            found: dict[str, Any] = {}
            for way, prefix, tensors in passes:
                order = orders[number] if way is self._training else every
                state, measured = self._passes.through(way, state, tensors, order)
                found |= scalar_logs(measured, prefix)
            return state, {
                name: logs[name].at[number].set(found[name], mode="promise_in_bounds")
                for name in logs
            }

        names: dict[str, Any] = {}
        for way, prefix, tensors in passes:
            order = orders[0] if way is self._training else every
            names |= scalar_logs(self._passes.log_shapes(way, state, tensors, order), prefix)
        logs = {
            name: jax.numpy.zeros((orders.shape[0],), value.dtype) for name, value in names.items()
        }
        return jax.lax.fori_loop(0, count, epoch, (state, logs))


@contextlib.contextmanager
def _tracing() -> Iterator[None]:
    try:
        yield
    except TypeError as error:
        # lax.scan and lax.fori_loop say so of a state that a step of the user's changes in dtype or shape.
        if "carry" not in str(error):
            raise
        raise NotCompilableError("a step changes the shape or dtype of its state") from error


@contextlib.contextmanager
def _compiling() -> Iterator[None]:
    try:
        yield
    except (jax.errors.JaxRuntimeError, NotImplementedError) as error:
        raise NotCompilableError(f"XLA cannot compile it: {first_line(error)}") from error


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
