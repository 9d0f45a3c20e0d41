"""Members on PyTorch: which are mapped over together, and their epochs.

What a small step costs is the call of its operations, which is the same for one member and for sixteen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import keras
import numpy as np
import torch
from numpy.typing import NDArray

from portable_models._backend.program import OnDevice, Orders, Pass, Stacked, State
from portable_models._backend.torch_loop import on_one_thread
from portable_models._backend.torch_mapping import MappedLogs, MappedWay
from portable_models._backend.torch_metrics import Metrics
from portable_models._backend.torch_step import StepGraph

WIDEST = 16
"""Members that are mapped over together, at most; more go through in turn."""
WORK_AT_ONCE = 32_768
"""Elements that an operation of a mapped step makes on average, at most.

Larger operations cost what they compute, and the states of all members no longer stay in the cache.
"""
LOOPS_FROM = 10_000
"""Steps of a group from which they are one compiled loop.

Measured with Boston's model, batch 1: to compile takes 9 seconds for a new graph and 2 for one that PyTorch
has kept; a step of a group takes 0.8 to 1.1 milliseconds when its operations are called, and 0.1 in a loop.
"""


def width_for(members: int, work: float) -> int:
    """How many members to map over, such that all groups are about as large.

    Args:
        members: how many there are.
        work: elements that an operation of one member makes on average.
    """
    most = min(WIDEST, members, int(WORK_AT_ONCE / max(work, 1.0)))
    return -(-members // -(-members // most)) if most > 1 else 1


def groups_of(members: int, width: int) -> list[list[int]]:
    """The members in groups of one width; the last member fills up the last group."""
    return [
        [min(first + number, members - 1) for number in range(width)]
        for first in range(0, members, width)
    ]


def stack_states(states: Sequence[State]) -> State:
    """One tensor for each variable, of the values of all members."""
    return [
        torch.stack([value.detach() for value in values]) for values in zip(*states, strict=True)
    ]


def take_apart(stacked: Sequence[Any]) -> list[State]:
    """The state of each member."""
    return [list(state) for state in zip(*(values.unbind() for values in stacked), strict=True)]


def read_by(rows: Sequence[OnDevice]) -> tuple[Any, Any, bool]:
    """The training and the held-out samples of a group, and whether each member has its own."""
    first = rows[0]
    if all(each is first for each in rows):
        return first.training, first.held_out, False

    def stack(*tensors: Any) -> Any:
        return torch.stack(tensors)

    training = keras.tree.map_structure(stack, *(each.training for each in rows))
    if first.held_out is None:
        return training, None, True
    return training, keras.tree.map_structure(stack, *(each.held_out for each in rows)), True


Way: TypeAlias = tuple[str, Pass, Callable[[State, Any, Any], StepGraph]]
"""The prefix of a pass's logs, the pass, and what makes the graph of its step."""


def train_together(
    ways: Sequence[Way],
    metrics: Metrics,
    states: Sequence[State],
    rows: Sequence[OnDevice],
    orders: Orders,
    steps: int,
) -> Together | None:
    """Prepare to train members that are mapped over; None for those so large that it would not pay.

    Args:
        ways: the passes of an epoch, the training pass first.
        metrics: those of the model.
        states: the state of each member.
        rows: what each member reads.
        orders: int32 of shape ``(members, epochs, places)``.
        steps: of all members.

    Raises:
        NotMappableError: PyTorch cannot map an operation, or compile the loop over mapped steps.
    """
    largest = max((value.numel() for value in states[0]), default=0)
    # Tracing takes a while: what is far too large is seen before.
    if width_for(len(states), largest / 8) == 1:
        return None
    _, training, graph_of = ways[0]
    places = torch.from_numpy(orders[0, 0])[: training.width or None]
    one = [value.detach() for value in states[0]]
    width = width_for(len(states), graph_of(one, rows[0].training, places).work)
    if width == 1:
        return None
    made = Together(ways, metrics, width, loops=steps // width >= LOOPS_FROM)
    made.prepare(states, rows, orders)
    return made


class Together:
    """Epochs of members that are mapped over, in groups of one width.

    Args:
        ways: the passes of an epoch.
        metrics: those of the model.
        width: members of a group.
        loops: whether the training steps of an epoch are one compiled loop.
    """

    def __init__(self, ways: Sequence[Way], metrics: Metrics, width: int, *, loops: bool) -> None:
        self._ways = [
            (prefix, MappedWay(way, graph_of, loops=loops and not prefix))
            for prefix, way, graph_of in ways
        ]
        self._logs = MappedLogs(metrics.results)
        self._reset = metrics.reset
        self._width = width

    def prepare(self, states: Sequence[State], rows: Sequence[OnDevice], orders: Orders) -> None:
        """Trace for arguments of these shapes, and compile.

        Raises:
            NotMappableError: PyTorch cannot map an operation, or compile the loop.
        """
        group = groups_of(len(states), self._width)[0]
        state = stack_states([states[each] for each in group])
        training, held_out, own = read_by([rows[each] for each in group])
        self._logs.prepare(state)
        for prefix, way in self._ways:
            validates = bool(prefix)
            order = rows[0].held_out_order if validates else torch.from_numpy(orders[group, 0])
            way.prepare(state, held_out if validates else training, own, order)

    def run(
        self, states: Sequence[State], rows: Sequence[OnDevice], orders: Orders, count: int
    ) -> tuple[Sequence[State], list[dict[str, NDArray[Any]]]]:
        """Train; see ``Program.run``."""
        given = states.values if isinstance(states, Stacked) else stack_states(states)
        parts, logs = [], []
        for group in groups_of(len(states), self._width):
            state = [values[group] for values in given]
            read = [rows[each] for each in group]
            state, found = on_one_thread(self._epochs, state, read, orders[group, :count])
            parts.append(state)
            logs += [
                {name: values[:, place] for name, values in found.items()}
                for place in range(len(group))
            ]
        after = [torch.cat(values)[: len(states)] for values in zip(*parts, strict=True)]
        return Stacked(after, take_apart), logs[: len(states)]

    def _epochs(
        self, state: State, rows: Sequence[OnDevice], orders: Orders
    ) -> tuple[State, dict[str, NDArray[Any]]]:
        training, held_out, own = read_by(rows)
        logs: dict[str, list[list[float]]] = {}
        for places in torch.from_numpy(np.ascontiguousarray(orders)).unbind(1):
            for prefix, way in self._ways:
                tensors, order = (
                    (held_out, rows[0].held_out_order) if prefix else (training, places)
                )
                state = way(self._reset(state), tensors, own, order)
                for name, values in self._logs(state).items():
                    logs.setdefault(prefix + name, []).append(values)
        return state, {name: np.asarray(values) for name, values in logs.items()}
