"""What a script shows: calls of layers and operations, their inputs, and what is compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from backends_matrix.check.reduce.smaller_source import (
    FILE_METHODS,
    fewer_arguments,
    smaller_definitions,
    smaller_numbers,
)

MOST_VALUES = 60
"""Numbers that a script may hold as they are."""


class Shown(StrEnum):
    """What a script lets the model do."""

    FORWARD = "forward"
    STEP = "step"
    FILE = "file"
    RESUMED = "resumed training"
    WEIGHTS_FILE = "weights file"


@dataclass(frozen=True)
class Reference:
    """A tensor: input number ``number``, or what call number ``number`` gives.

    Args:
        is_input: which of the two.
        number: which one.
        part: which of several results of a call; None where it gives one.
    """

    is_input: bool
    number: int
    part: int | None = None

    def __str__(self) -> str:
        name = f"{'x' if self.is_input else 'h'}{self.number}"
        return name if self.part is None else f"{name}[{self.part}]"


@dataclass(frozen=True)
class Node:
    """One call.

    Args:
        layer: the layer's path; calls of the same layer share it. "" for an operation.
        make: an expression that makes the layer.
        call: an expression with ``{layer}`` and ``{0}``, ``{1}`` ... for the tensors.
        sources: the tensors.
        kind: class name, for people.
        draws: it draws random numbers in training.
    """

    layer: str
    make: str
    call: str
    sources: tuple[Reference, ...]
    kind: str
    draws: bool = False


@dataclass(frozen=True)
class Given:
    """An input.

    Args:
        shape: without the batch.
        dtype: as it is recorded.
        recorded: what the judge was given in the model.
    """

    shape: tuple[int, ...]
    dtype: str
    recorded: NDArray[np.generic] | None = None


@dataclass(frozen=True, eq=False)
class Case:
    """What a script shows.

    Args:
        title: one line.
        nodes: the calls, in their order; the last one's result is what the model puts out.
        inputs: what goes in.
        definitions: source of classes and functions that the calls need.
        batch: rows.
        values: how the inputs are made: normal, zeros, ones, ramp, or recorded.
        optimizer: an expression.
        backends: those that are compared.
        shown: the outputs, one training step, or a file that goes from one backend to another.
        functional: the model is made of its calls as they are; else weights of 0 are added to its inputs, so
            that a step shows the gradients of the inputs too.
        training: the outputs are those in training.
        part: the only part that is printed: outputs, weights or state; "" prints all.
        equal_weights: the layers' weights are made equal on all backends; there are layers without weights.
        direct: the layers are called on arrays, without a model around them. For outputs only.
    """

    title: str
    nodes: tuple[Node, ...]
    inputs: tuple[Given, ...]
    definitions: tuple[str, ...] = ()
    batch: int = 2
    values: str = "normal"
    optimizer: str = "keras.optimizers.SGD(1.0)"
    backends: Sequence[str] = ("jax", "tensorflow", "torch")
    shown: Shown = Shown.STEP
    functional: bool = False
    training: bool = False
    part: str = ""
    equal_weights: bool = True
    direct: bool = False

    @property
    def size(self) -> int:
        """How many numbers go in."""
        return sum(self.batch * int(np.prod(each.shape)) for each in self.inputs)

    @property
    def draws(self) -> bool:
        """Whether a call draws random numbers in training, which no backend does as another."""
        return any(node.draws for node in self.nodes)

    def smaller(self) -> Iterator[Case]:
        """Cases that are smaller in one respect, the largest steps first."""
        yield from self._fewer_nodes()
        if self.batch > 1:
            yield replace(self, batch=1)
        if self.values == "normal":
            yield replace(self, values="ramp")
            yield replace(self, values="ones")
        whole = () if self.shown in (Shown.FORWARD, Shown.STEP) else FILE_METHODS
        for definitions in smaller_definitions(self.definitions, whole):
            yield replace(self, definitions=definitions)
        yield from self._simpler_nodes()
        yield from self._smaller_inputs()

    def tidier(self) -> Iterator[Case]:
        """Scripts that say the same in fewer words; they must print the same numbers."""
        if self.equal_weights:
            yield replace(self, equal_weights=False)
        plain = not (self.direct or self.equal_weights or self.training)
        if self.shown is Shown.FORWARD and plain:
            yield replace(self, direct=True)

    def _simpler_nodes(self) -> Iterator[Case]:
        for number, node in enumerate(self.nodes):
            for make in (*fewer_arguments(node.make), *smaller_numbers(node.make)):
                # A layer that is called several times is made once.
                changed = tuple(
                    replace(each, make=make) if each.layer and each.layer == node.layer else each
                    for each in self.nodes
                )
                yield replace(self, nodes=changed)
            for call in smaller_numbers(node.call) if not node.layer else ():
                nodes = (*self.nodes[:number], replace(node, call=call), *self.nodes[number + 1 :])
                yield replace(self, nodes=nodes)

    def _smaller_inputs(self) -> Iterator[Case]:
        for place, given in enumerate(self.inputs):
            for axis, size in enumerate(given.shape):
                for less in sorted({1, 2, size // 2, size - 1}):
                    if 1 <= less < size:
                        shape = (*given.shape[:axis], less, *given.shape[axis + 1 :])
                        inputs = list(self.inputs)
                        inputs[place] = replace(given, shape=shape)
                        yield replace(self, inputs=tuple(inputs))

    def _fewer_nodes(self) -> Iterator[Case]:
        count = len(self.nodes)
        # The front half of the graph, then its back half, then one call at a time.
        for stop in dict.fromkeys((count // 2, count - 1)):
            if 0 < stop < count:
                yield prune(replace(self, nodes=self.nodes[:stop]))
        for number in range(count - 1):
            for source in self.nodes[number].sources[:1]:
                yield self._without(number, source)

    def _without(self, number: int, instead: Reference) -> Case:
        """Leave one call out: who took its result takes its first argument."""

        def other(source: Reference) -> Reference:
            if source.is_input or source.number < number:
                return source
            if source.number == number:
                return instead
            return replace(source, number=source.number - 1)

        nodes = tuple(
            replace(node, sources=tuple(map(other, node.sources)))
            for place, node in enumerate(self.nodes)
            if place != number
        )
        return prune(replace(self, nodes=nodes))


def prune(case: Case) -> Case:
    """Without calls and inputs that the last call does not need."""
    needed = {len(case.nodes) - 1}
    inputs: set[int] = set()
    for number in reversed(range(len(case.nodes))):
        if number in needed:
            for source in case.nodes[number].sources:
                (inputs if source.is_input else needed).add(source.number)
    new_nodes = {old: new for new, old in enumerate(sorted(needed))}
    new_inputs = {old: new for new, old in enumerate(sorted(inputs))}

    def renumbered(source: Reference) -> Reference:
        names = new_inputs if source.is_input else new_nodes
        return replace(source, number=names[source.number])

    nodes = tuple(
        replace(case.nodes[old], sources=tuple(map(renumbered, case.nodes[old].sources)))
        for old in sorted(needed)
    )
    return replace(case, nodes=nodes, inputs=tuple(case.inputs[old] for old in sorted(inputs)))
