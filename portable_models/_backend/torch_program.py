"""Epochs on PyTorch: the graph of one step, in a loop that is compiled where that pays."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import torch
from numpy.typing import NDArray
from torch._higher_order_ops.while_loop import while_loop_op
from torch.fx.experimental.proxy_tensor import make_fx

from portable_models._backend.base import (
    OnDevice,
    Orders,
    Pass,
    Program,
    State,
    flat_metrics,
    variables_of,
)
from portable_models._backend.torch_step import StepGraph

PAYS_FROM = 20_000
"""Steps from which a loop is compiled.

An operation of the graph costs some 1.6 microseconds when it is called by itself, next to nothing in a
compiled loop, and 20 to 45 milliseconds to compile (with a cache of compiled graphs and without): both
grow with the graph, so their ratio, 12,000 to 28,000 steps, holds for small and large ones.
"""


class TorchProgram(Program):
    """Members are trained one after another, with the same graphs."""

    def __init__(self, model: Any, training: Pass, validation: Pass | None, steps: int) -> None:
        self._model = model
        self._variables = variables_of(model)
        self._training = _Way(self, model.train_step, training, steps)
        self._validation = (
            None if validation is None else _Way(self, model.test_step, validation, 0)
        )
        self._zeroed: dict[int, Any] = {}

    def prepare(self, states: Sequence[State], rows: Sequence[OnDevice], orders: Orders) -> None:
        with torch.no_grad():
            state = _values(states[0])
            with self._scope(state) as scope:
                self._model.reset_metrics()
            measured = {id(variable) for variable in self._model.metrics_variables}
            self._zeroed = {
                place: scope.get_current_value(variable)
                for place, variable in enumerate(self._variables)
                if id(variable) in measured
            }
            self._training.prepare(state, rows[0].training, orders.shape[-1])
            if self._validation is not None:
                self._validation.prepare(state, rows[0].held_out, _count(rows[0].held_out))

    def run(
        self, states: Sequence[State], rows: Sequence[OnDevice], orders: Orders, count: int
    ) -> tuple[list[State], list[dict[str, NDArray[Any]]]]:
        after, logs = [], []
        with torch.no_grad():
            for state, each, order in zip(states, rows, orders, strict=True):
                state, found = self._epochs(_values(state), each, order[:count])
                after.append(state)
                logs.append(found)
        return after, logs

    def _epochs(
        self, state: State, rows: OnDevice, orders: Orders
    ) -> tuple[State, dict[str, NDArray[Any]]]:
        logs: dict[str, list[float]] = {}
        for order in orders:
            state = self._training(self._reset(state), rows.training, order)
            found = self._metrics(state)
            if self._validation is not None:
                every = np.arange(_count(rows.held_out), dtype=np.int32)
                state = self._validation(self._reset(state), rows.held_out, every)
                found |= self._metrics(state, "val_")
            for name, value in found.items():
                logs.setdefault(name, []).append(float(value))
        return state, {name: np.asarray(values) for name, values in logs.items()}

    def graph(self, step: Callable[[Sequence[Any]], None], state: State, extras: Any) -> StepGraph:
        """The graph of a step of this program's model."""
        try:
            return StepGraph(step, self._variables, self._model.trainable_variables, state, extras)
        finally:
            # A penalty that a layer has noted while it was traced is no number.
            self._model._clear_losses()

    def _reset(self, state: State) -> State:
        return [self._zeroed.get(place, value) for place, value in enumerate(state)]

    def _metrics(self, state: State, prefix: str = "") -> dict[str, Any]:
        with self._scope(state):
            return flat_metrics(self._model, prefix)

    def _scope(self, state: State) -> Any:
        return keras.StatelessScope(state_mapping=list(zip(self._variables, state, strict=True)))


class _Way:
    """One way through samples: its whole batches and the one that is left over."""

    def __init__(
        self, program: TorchProgram, step: Callable[[Any], Any], way: Pass, steps: int
    ) -> None:
        self._program = program
        self._step = step
        self._way = way
        self._pays = steps >= PAYS_FROM
        self._ready: dict[Any, Callable[..., State]] = {}

    def prepare(self, state: State, tensors: Any, count: int) -> None:
        """Trace and compile for tensors of these shapes."""
        self._runs(state, tensors, np.zeros(count, np.int32))

    def __call__(self, state: State, tensors: Any, order: NDArray[np.int32]) -> State:
        for run, leaves, indices in self._runs(state, tensors, order):
            state = run(state, leaves, indices)
        return state

    def _runs(self, state: State, tensors: Any, order: Any) -> list[tuple[Any, Any, Any]]:
        leaves = keras.tree.flatten(tensors)
        batches, rest = self._way.batches(torch.from_numpy(order))
        return [
            (self._made(state, tensors, leaves, part), leaves, part)
            for part in (batches, rest)
            if len(part)
        ]

    def _made(self, state: State, tensors: Any, leaves: Any, indices: Any) -> Callable[..., State]:
        key = (*((leaf.shape, leaf.dtype) for leaf in leaves), indices.shape)
        if key not in self._ready:
            several = indices.ndim == 2
            one = indices[0] if several else indices

            def step(extras: Sequence[Any]) -> None:
                structure = keras.tree.pack_sequence_as(tensors, list(extras[:-1]))
                self._step(self._way.gather(structure, extras[-1]))

            graph = self._program.graph(step, state, [*leaves, one])
            if several and self._pays:
                self._ready[key] = _compiled(graph, state, leaves, indices)
            elif several:
                self._ready[key] = _each(graph)
            else:
                self._ready[key] = lambda state, leaves, indices: graph(state, [*leaves, indices])
        return self._ready[key]


def _each(graph: StepGraph) -> Callable[..., State]:
    """The steps one by one, without Keras between them."""

    def run(state: State, leaves: Any, batches: Any) -> State:
        for indices in batches:
            state = graph(state, [*leaves, indices])
        return state

    return run


def _compiled(graph: StepGraph, state: State, leaves: Any, batches: Any) -> Callable[..., State]:
    """All steps as one loop in C++."""
    steps, count = int(batches.shape[0]), len(state)

    def loop(*flat: Any) -> tuple[Any, ...]:
        def further(number: Any, *carried: Any) -> Any:
            del carried
            return number < steps

        def body(number: Any, *carried: Any) -> tuple[Any, ...]:
            state, more = carried[:count], carried[count:]
            *tensors, batches = more[: len(leaves) + 1]
            indices = torch.index_select(batches, 0, number.reshape(1))[0]
            return (
                number + 1,
                *graph(list(state), [*tensors, indices], more[len(leaves) + 1 :]),
            )

        start = torch.zeros((), dtype=torch.int64)
        return tuple(while_loop_op(further, body, (start, *flat[:count]), flat[count:])[1:])

    flat = [*state, *leaves, batches, *graph.constants]
    traced = make_fx(loop, tracing_mode="fake", _allow_non_fake_inputs=True)(*flat)
    with warnings.catch_warnings():
        # Inductor's own modules use torch.jit, which torch 2.13 deprecates. Can go when they no longer do.
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        from torch import _inductor

        run = _inductor.compile(traced, flat, options={"cpp_wrapper": True})

    def call(state: State, leaves: Any, batches: Any) -> State:
        return list(run(*state, *leaves, batches, *graph.constants))

    return call


def _values(state: State) -> State:
    return [value.detach() for value in state]


def _count(tensors: Any) -> int:
    return int(keras.tree.flatten(tensors)[0].shape[0])
