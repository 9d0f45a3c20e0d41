"""Epochs on PyTorch: the graph of one step, in a loop that is compiled where that pays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
import torch
from numpy.typing import NDArray

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
from portable_models._backend.torch_devices import computing_device
from portable_models._backend.torch_loop import compiled_loop, on_one_thread
from portable_models._backend.torch_mapping import NotMappableError
from portable_models._backend.torch_members import Together, train_together
from portable_models._backend.torch_metrics import Metrics
from portable_models._backend.torch_step import Step, StepGraph, stateless

PAYS_FROM = 20_000
"""Steps from which a loop is compiled.

An operation of the graph costs some 1.6 microseconds when it is called by itself, next to nothing in a
compiled loop, and 20 to 45 milliseconds to compile (with a cache of compiled graphs and without): both
grow with the graph, so their ratio, 12,000 to 28,000 steps, holds for small and large ones.
"""

WORTH_FROM = 1_000
"""Steps of a training from which tracing pays for itself, also in a process that traces for the first time.

To trace takes as long as 55 to 150 steps of ``Model.fit`` (dense, convolutional, attention, LSTM of 20 steps
and GRU of 100 steps were measured), so that 80 to 220 steps break even. In a new process, importing PyTorch's
tracer takes another 3 seconds, which are 600 steps of a small network.
"""

TRACED_FROM = 150
"""Calls from which a step is traced, but for the training step, which always is.

To trace a step takes about as long as to run it through Keras so many times: validation and last batches of a
short training are not worth it.
"""


ONE_THREAD_BELOW = 5_000
"""Elements that an operation of a step makes on average, from which it pays to compute on several threads.

Threads that wait for each other at every operation cost more than they save in small ones. Measured on two
cores, as microseconds a step on one and on two: 19 and 26 (a batch of one of Boston), 125 and 219 (two layers
of 128, batch 32: 4,600 elements), 760 and 480 (a CNN: 5,200); two layers of 256 (17,000) gain a twentieth
where steps are called one by one, and lose a fifth in a loop.
"""


MAPPED_FROM = 20_000
"""Steps of all members from which their graph is mapped over them, which takes a second or two to trace."""


class TorchProgram(Program):
    """The graph of a step is mapped over small members; large ones are trained one after another."""

    def __init__(self, model: Any, training: Pass, validation: Pass | None, epochs: int) -> None:
        self._model = model
        self._variables = variables_of(model)
        self._training = _Way(self, "train_step", training, epochs)
        self._validation = (
            None if validation is None else _Way(self, "test_step", validation, epochs)
        )
        self._steps = epochs * max(training.steps, 1)
        self._together: Together | None = None
        self._metrics = Metrics(model, self._variables)
        self._checked: set[str] = set()

    def prepare(
        self,
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        part: Part = Part.BOTH,
    ) -> None:
        with torch.no_grad():
            state = _values(states[0])
            self._metrics.prepare(state)
            if len(states) > 1 and part is Part.BOTH and self._maps(states, rows, orders):
                return
            if part is not Part.VALIDATION:
                self._training.prepare(state, rows[0].training, orders.shape[-1])
            if part is not Part.TRAINING and self._validation is not None:
                order = rows[0].held_out_order
                self._validation.prepare(state, rows[0].held_out, len(order))

    def _maps(self, states: Sequence[State], rows: Sequence[OnDevice], orders: Orders) -> bool:
        """Prepare for members side by side, where that pays and PyTorch can."""
        # Elsewhere it is not proven.
        if computing_device().type == "cpu" and self._steps >= MAPPED_FROM:
            ways = [way for way in (self._training, self._validation) if way is not None]
            try:
                passes = [(way.prefix, way.way, way.graph_of) for way in ways]
                self._together = train_together(
                    passes, self._metrics, states, rows, orders, self._steps
                )
            except NotMappableError as refusal:
                self.apart_because = str(refusal)
        return self._together is not None

    def run(
        self,
        states: Sequence[State],
        rows: Sequence[OnDevice],
        orders: Orders,
        count: int,
        part: Part = Part.BOTH,
    ) -> tuple[Sequence[State], list[dict[str, NDArray[Any]]]]:
        after, logs = [], []
        if self._together is not None:
            try:
                with torch.no_grad():
                    return self._together.run(states, rows, orders, count)
            except RuntimeError as error:
                raise ProgramFailedError(first_line(error)) from error
        with torch.no_grad():
            for state, each, order in zip(states, rows, orders, strict=True):
                try:
                    state, found = self._epochs(_values(state), each, order[:count], part)
                except RuntimeError as error:
                    # States are copied before a graph works on them in place.
                    raise ProgramFailedError(first_line(error)) from error
                after.append(state)
                logs.append(found)
        return after, logs

    def _epochs(
        self, state: State, rows: OnDevice, orders: Orders, part: Part
    ) -> tuple[State, dict[str, NDArray[Any]]]:
        logs: dict[str, list[float]] = {}
        for order in orders:
            found: dict[str, Any] = {}
            if part is not Part.VALIDATION:
                places = torch.from_numpy(order).to(computing_device())
                state = self._training(self._metrics.reset(state), rows.training, places)
                found |= self._metrics.results(state)
            if part is not Part.TRAINING and self._validation is not None:
                state = self._validation(
                    self._metrics.reset(state), rows.held_out, rows.held_out_order
                )
                found |= scalar_logs(self._metrics.results(state), "val_")
            for name, value in found.items():
                logs.setdefault(name, []).append(float(value))
        return state, {name: np.asarray(values) for name, values in logs.items()}

    def step(self, name: str, batch: Any) -> None:
        """The model's ``train_step`` or ``test_step`` on a batch.

        Raises:
            NotCompilableError: it cannot be traced, or reports something other than the model's metrics.
        """
        with tracing(name):
            logs = getattr(self._model, name)(batch)
        if name in self._checked:
            return
        self._checked.add(name)
        if may_log_otherwise(self._model) and step_logs_differ(self._model, logs, name):
            raise NotCompilableError(f"{name} returns logs that are not the model's metrics")

    def graph(self, step: Step, state: State, extras: Any, *, pure: bool) -> StepGraph:
        """The graph of a step of this program's model."""
        weights = self._model.trainable_variables
        try:
            return StepGraph(step, self._variables, weights, state, extras, pure=pure)
        finally:
            # A penalty that a layer has noted while it was traced is no number.
            self._model._clear_losses()

    def call(self, step: Step, state: State, extras: Any) -> State:
        """A step of this program's model, through Keras."""
        try:
            weights = self._model.trainable_variables
            return stateless(step, self._variables, weights, state, extras)
        finally:
            # What a layer notes outside of the model would be there at the next step.
            self._model._clear_losses()


class _Way:
    """One way through samples: its whole batches and the one that is left over."""

    def __init__(
        self,
        program: TorchProgram,
        step: str,
        way: Pass,
        epochs: int,
    ) -> None:
        self._program = program
        self._step = step
        self.way = way
        self.prefix = "" if step == "train_step" else "val_"
        self._epochs = epochs
        self._trains = step == "train_step"
        self._ready: dict[Any, Callable[..., State]] = {}

    def prepare(self, state: State, tensors: Any, count: int) -> None:
        """Trace and compile for tensors of these shapes."""
        self._runs(state, tensors, torch.zeros(count, dtype=torch.int32, device=computing_device()))

    def graph_of(self, state: State, tensors: Any, places: Any) -> StepGraph:
        """The graph of a step on one batch, which changes nothing in place."""
        extras = [*keras.tree.flatten(tensors), places]
        return self._program.graph(self._step_on(tensors), state, extras, pure=True)

    def _step_on(self, tensors: Any) -> Step:
        def step(extras: Sequence[Any]) -> None:
            structure = keras.tree.pack_sequence_as(tensors, list(extras[:-1]))
            self._program.step(self._step, batch_of(self.way, structure, extras[-1]))

        return step

    def __call__(self, state: State, tensors: Any, order: Any) -> State:
        for run, leaves, indices in self._runs(state, tensors, order):
            state = run(state, leaves, indices)
        return state

    def _runs(self, state: State, tensors: Any, order: Any) -> list[tuple[Any, Any, Any]]:
        leaves = keras.tree.flatten(tensors)
        batches, rest = self.way.batches(order)
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

            step = self._step_on(tensors)
            calls = self._epochs * (self.way.steps if several else 1)
            # What pays was measured on CPUs. Elsewhere every step is traced, and none is in a loop: it is not
            # proven there, and Python would wait for its condition at every step.
            on_cpu = computing_device().type == "cpu"
            always = not on_cpu or (self._trains and (several or not self.way.steps))
            run: Callable[..., State]
            loop = on_cpu and several and self._trains and calls >= PAYS_FROM
            if always or calls >= TRACED_FROM:
                graph = self._program.graph(step, state, [*leaves, one], pure=loop)
                threads = 1 if on_cpu and graph.work < ONE_THREAD_BELOW else None
                run = (
                    compiled_loop(graph, state, leaves, indices, threads)
                    if loop
                    else partial(_stepped, graph, _each if several else _one)
                )
                self._ready[key] = run if threads is None else partial(on_one_thread, run)
            else:
                once = partial(self._program.call, step)
                self._ready[key] = partial(_each if several else _one, once)
        return self._ready[key]


def _stepped(graph: StepGraph, run: Callable[..., State], state: State, *given: Any) -> State:
    return run(graph, graph.own(state), *given)


def _each(
    once: Callable[[State, Any], State], state: State, leaves: Sequence[Any], batches: Any
) -> State:
    """The steps one by one."""
    for places in batches:
        state = once(state, [*leaves, places])
    return state


def _one(
    once: Callable[[State, Any], State], state: State, leaves: Sequence[Any], places: Any
) -> State:
    return once(state, [*leaves, places])


def _values(state: State) -> State:
    return [value.detach() for value in state]
