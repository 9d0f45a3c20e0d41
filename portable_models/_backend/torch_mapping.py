"""The graph of one member's step on PyTorch, mapped over members whose states are stacked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import torch

from portable_models._backend.program import Pass, State, first_line
from portable_models._backend.torch_loop import compiled_loop
from portable_models._backend.torch_step import StepGraph, lift_constants, trace


class NotMappableError(Exception):
    """A step cannot be mapped over members; the message says why."""


class MappedStep:
    """The graph of a step of all members.

    Args:
        graph: of one member.
        shared: for each of its arguments after the state, whether all members share it.
        state: stacked.
        extras: the arguments after the state.

    Raises:
        NotMappableError: PyTorch cannot map one of its operations.
    """

    def __init__(
        self, graph: StepGraph, shared: Sequence[bool], state: State, extras: Sequence[Any]
    ) -> None:
        def step(*flat: Any) -> tuple[Any, ...]:
            return graph.each_tensor(flat)

        dims = [0] * len(state) + [None if each else 0 for each in shared]
        self._module = mapped(step, dims, [*state, *extras])
        self.constants = lift_constants(self._module)
        self._module.recompile()

    def __call__(
        self, state: State, extras: Sequence[Any], constants: Sequence[Any] | None = None
    ) -> State:
        """The states after the step, stacked."""
        given = self.constants if constants is None else constants
        return list(self._module(*state, *extras, *given))


def _contiguous(state: State) -> State:
    """A loop wants its state as each step gives it; metrics that are reset are one number for all."""
    return [value.contiguous() for value in state]


def mapped(function: Callable[..., Any], dims: Sequence[int | None], flat: Sequence[Any]) -> Any:
    """A graph of ``function`` of one member's tensors, for tensors of all members.

    Args:
        function: of tensors; gives a sequence of tensors.
        dims: 0 for tensors whose first dimension is of members, None for those that all share.
        flat: tensors of the right shapes, stacked where ``dims`` says so.

    Raises:
        NotMappableError: PyTorch cannot map one of its operations, for instance one that draws numbers.
    """
    try:
        over = torch.func.vmap(function, in_dims=tuple(dims))
        # A loop wants states of their own, laid out as those that were given.
        return trace(
            lambda *given: tuple(
                each.clone(memory_format=torch.contiguous_format) for each in over(*given)
            ),
            flat,
        )
    except Exception as error:
        raise NotMappableError(
            f"its step cannot be mapped over members: {first_line(error)}"
        ) from error


class MappedWay:
    """One way of members through samples.

    Args:
        way: how samples are gone through.
        graph_of: makes the graph of a step: ``(state, tensors, places) -> graph``.
        loops: whether the whole batches are one compiled loop.
    """

    def __init__(
        self, way: Pass, graph_of: Callable[[State, Any, Any], StepGraph], *, loops: bool
    ) -> None:
        self._way = way
        self._graph_of = graph_of
        self._graphs: dict[Any, MappedStep] = {}
        self._compiled: dict[Any, Callable[..., State]] = {}
        self._loops = loops

    def __call__(self, state: State, tensors: Any, own: bool, order: Any) -> State:
        """The states after all batches.

        Args:
            state: stacked.
            tensors: the samples, stacked where they are ``own``.
            own: whether each member has samples of its own.
            order: places of shape ``(members, places)``, or ``(places,)`` where all go the same way.
        """
        leaves = keras.tree.flatten(tensors)
        batches, rest = self._cut(order)
        if self._loops and len(batches):
            state = _contiguous(state)
            state = self._loop(state, tensors, leaves, own, batches)(state, leaves, batches)
        else:
            for places in batches:
                state = self._step(state, tensors, leaves, own, places)
        return self._step(state, tensors, leaves, own, rest) if rest.shape[-1] else state

    def prepare(self, state: State, tensors: Any, own: bool, order: Any) -> None:
        """Trace the steps for tensors of these shapes, and compile the loop.

        Raises:
            NotMappableError: PyTorch cannot map an operation, or compile the loop.
        """
        leaves = keras.tree.flatten(tensors)
        batches, rest = self._cut(order)
        for places in (*batches[:1], rest):
            if places.shape[-1]:
                self._graph(state, tensors, leaves, own, places)
        if self._loops and len(batches):
            self._loop(_contiguous(state), tensors, leaves, own, batches)

    def _cut(self, order: Any) -> tuple[Any, Any]:
        """The places of the whole batches, batches first, and those that are left over."""
        whole = self._way.steps * self._way.width
        shape = (*order.shape[:-1], self._way.steps, self._way.width)
        batches = order[..., :whole].reshape(shape).movedim(-2, 0)
        return batches.contiguous(), order[..., whole:]

    def _step(self, state: State, tensors: Any, leaves: Any, own: bool, places: Any) -> State:
        graph = self._graph(state, tensors, leaves, own, places)
        return graph(state, [*leaves, places])

    def _loop(
        self, state: State, tensors: Any, leaves: Any, own: bool, batches: Any
    ) -> Callable[..., State]:
        key = (tuple(batches.shape), own, len(state[0]))
        if key not in self._compiled:
            graph = self._graph(state, tensors, leaves, own, batches[0])
            try:
                self._compiled[key] = compiled_loop(graph, state, leaves, batches, threads=1)
            except Exception as error:
                raise NotMappableError(
                    f"the loop over mapped steps cannot be compiled: {first_line(error)}"
                ) from error
        return self._compiled[key]

    def _graph(self, state: State, tensors: Any, leaves: Any, own: bool, places: Any) -> MappedStep:
        key = (tuple(places.shape), own, len(state[0]))
        if key not in self._graphs:
            one = keras.tree.map_structure(lambda tensor: tensor[0], tensors) if own else tensors
            shared = places.ndim == 1
            graph = self._graph_of(
                [value[0] for value in state], one, places if shared else places[0]
            )
            alike = [not own] * len(leaves) + [shared]
            self._graphs[key] = MappedStep(graph, alike, state, [*leaves, places])
        return self._graphs[key]


class MappedLogs:
    """The results of the metrics of members.

    Args:
        metrics: ``state -> logs`` of one member.
    """

    def __init__(self, metrics: Callable[[State], Mapping[str, Any]]) -> None:
        self._metrics = metrics
        self._names: list[str] = []
        self._graph: Any = None

    def prepare(self, state: State) -> None:
        """Trace for stacked states of these shapes."""

        def results(*flat: Any) -> tuple[Any, ...]:
            logs = self._metrics(list(flat))
            self._names[:] = logs
            return tuple(torch.as_tensor(value) for value in logs.values())

        one = trace(results, [value[0] for value in state])
        self._graph = mapped(one, [0] * len(state), state)

    def __call__(self, state: State) -> dict[str, list[float]]:
        """Each log by name, one number for each member."""
        found = self._graph(*state)
        return {name: values.tolist() for name, values in zip(self._names, found, strict=True)}
