"""One step of Keras on PyTorch as a graph of tensor operations, without Python between them.

The step is run once on tensors that hold nothing but a shape, and every operation that it calls, those of
the backward pass and of the optimizer too, is written down (``torch.fx``'s ``make_fx``). So an overridden
``train_step`` means what it means to ``Model.fit``, as long as it does not look at values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode

from portable_models._backend.program import State
from portable_models._backend.torch_foreach import EachTensor
from portable_models._backend.torch_graph import drop_copies, move_constants, work_in_place, work_of
from portable_models._keras.operations import current_scope, replace_cond

Step = Callable[[Sequence[Any]], None]
"""What is done with tensors, under Keras's stateless scope."""


def stateless(
    step: Step,
    variables: Sequence[Any],
    trainable: Sequence[Any],
    state: Sequence[Any],
    extras: Sequence[Any],
) -> State:
    """The state after a step of Keras from a given one; see :class:`StepGraph`."""
    differentiated = {id(variable) for variable in trainable}
    # Keras changes values in place, here those of copies.
    own = [value.detach().clone() for value in state]
    for variable, value in zip(variables, own, strict=True):
        if id(variable) in differentiated:
            value.requires_grad_()
    mapping = list(zip(variables, own, strict=True))
    with keras.StatelessScope(mapping, collect_losses=True) as scope, torch.enable_grad():
        step(extras)
    found = [scope.get_current_value(variable) for variable in variables]
    return [
        (before if after is None else after).detach()
        for before, after in zip(own, found, strict=True)
    ]


class StepGraph:
    """A function of tensors: ``(state, extras) -> state``.

    Args:
        step: what is done with the tensors ``extras``, under Keras's stateless scope.
        variables: the variables whose values are the state.
        trainable: those of them that are differentiated by.
        state: values of the right shapes.
        extras: tensors of the right shapes.
        pure: whether every operation must make new values, as inside of a loop. Otherwise some may change
            the state in place, as Keras does; which takes half as long to trace.

    Raises:
        Exception: the step cannot be traced, for instance because it branches on a value.
    """

    def __init__(
        self,
        step: Step,
        variables: Sequence[Any],
        trainable: Sequence[Any],
        state: State,
        extras: Sequence[Any],
        *,
        pure: bool,
    ) -> None:
        count = len(variables)

        def after(*flat: Any) -> tuple[Any, ...]:
            return tuple(stateless(step, variables, trainable, flat[:count], flat[count:]))

        flat = (*state, *extras)
        # Both ways of keras.ops.cond are taken and selected from, as its condition is not known.
        with replace_cond(_select):
            module = trace(after, flat)
        if pure:
            # A second time, so that what was changed in place becomes a value of its own.
            module = trace(torch.func.functionalize(module, remove="mutations"), flat)
            drop_copies(module.graph)
        move_constants(module)
        module.graph.eliminate_dead_code()
        self.constants = lift_constants(module)
        self.work = work_of(module.graph)
        self._in_place = not pure and work_in_place(module.graph, count)
        module.recompile()
        self._module = module

    def own(self, state: State) -> State:
        """Values of a state for steps to go through, which may change them."""
        return [value.clone() for value in state] if self._in_place else state

    def __call__(
        self, state: State, extras: Sequence[Any], constants: Sequence[Any] | None = None
    ) -> State:
        """The state after the step, which is an ``own`` one."""
        given = self.constants if constants is None else constants
        return list(self._module(*state, *extras, *given))

    def each_tensor(self, flat: Sequence[Any]) -> tuple[Any, ...]:
        """The state after the step, operations on lists of tensors being called for every tensor.

        PyTorch 2.13 cannot map over operations on lists (``torch._foreach_mul``), which optimizers call.
        """
        return tuple(EachTensor(self._module).run(*flat, *self.constants))


def trace(function: Callable[..., Any], flat: Sequence[Any]) -> Any:
    """A function of tensors as a graph of tensor operations; what it holds besides are constants.

    Raises:
        Exception: it cannot be traced, for instance because it branches on a value.
    """
    return make_fx(function, tracing_mode="fake", _allow_non_fake_inputs=True)(*flat)


def lift_constants(module: Any) -> list[Any]:
    """Make arguments of a graph's constants: inside of a loop it may hold none, and none twice."""
    made: dict[int, Any] = {}
    constants = []
    last = [node for node in module.graph.nodes if node.op == "placeholder"][-1]
    for node in list(module.graph.nodes):
        if node.op == "get_attr":
            constant = getattr(module, node.target)
            if id(constant) not in made:
                constants.append(constant)
                with module.graph.inserting_after(last):
                    last = module.graph.placeholder(f"constant_{len(constants)}")
                made[id(constant)] = last
            node.replace_all_uses_with(made[id(constant)])
            module.graph.erase_node(node)
    return constants


class _Writes(TorchDispatchMode):  # type: ignore[misc]  # torch is not followed
    """Notes which memory is written to by operations that work in place."""

    def __init__(self) -> None:
        super().__init__()
        self._memory: set[int] = set()

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        """Note the arguments that the operation's schema says it writes to."""
        named = kwargs or {}
        for place, argument in enumerate(operation._schema.arguments):
            if argument.alias_info is not None and argument.alias_info.is_write:
                given = args[place] if place < len(args) else named.get(argument.name)
                for each in given if isinstance(given, (list, tuple)) else [given]:
                    if isinstance(each, torch.Tensor):
                        self._memory.add(_memory(each))
        return operation(*args, **named)

    def reached(self, tensor: torch.Tensor) -> bool:
        """Whether a tensor's memory was written to."""
        return _memory(tensor) in self._memory


def _memory(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _select(condition: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    if not isinstance(condition, torch.Tensor):
        return true_fn() if condition else false_fn()
    scope = current_scope()
    known = scope.state_mapping
    ways, changed = [], set()
    for way in (true_fn, false_fn):
        copies = {key: value.clone() for key, value in known.items()}
        with keras.StatelessScope() as inner, _Writes() as writes:
            inner.state_mapping = dict(copies)
            ways.append((way(), inner.state_mapping))
        changed |= {
            key
            for key, value in copies.items()
            if inner.state_mapping[key] is not value or writes.reached(value)
        }
    (one, after_one), (other, after_other) = ways
    # The others stay the tensors that they are: an optimizer may hold them, to change them in place.
    for key in changed:
        known[key] = torch.where(condition, after_one[key], after_other[key])
    return keras.tree.map_structure(
        lambda first, second: None if first is None else torch.where(condition, first, second),
        one,
        other,
    )
