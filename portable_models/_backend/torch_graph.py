"""What a traced graph of tensor operations copies for nothing, and how much work it is, on PyTorch."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.fx.node import map_arg
from torch.utils.flop_counter import flop_registry

_ATEN = torch.ops.aten
_ALIASES = {_ATEN.alias.default, _ATEN.detach.default}
"""Operations that give what they take, once nobody differentiates."""
_COPIES = _ALIASES | {_ATEN.detach_copy.default, _ATEN.lift_fresh_copy.default}
"""Operations that do so where, besides, nothing is changed in place."""


def drop_copies(graph: Any) -> None:
    """Drop the copies of a graph that changes nothing in place."""
    for node in _calls(graph, _COPIES):
        _replace(node, node.args[0])


def move_constants(module: Any) -> None:
    """Copy constants of another device once, now, where the graph would copy them at every step."""
    origins, written = _origins(module.graph)
    kept = written.union(*(origins[output] for output in _outputs(module.graph)))
    for number, node in enumerate(_calls(module.graph, {_ATEN._to_copy.default})):
        constant = node.args[0]
        while constant.target in _COPIES:
            constant = constant.args[0]
        if constant.op != "get_attr" or "device" not in node.kwargs or node in kept:
            continue
        name = f"_moved_constant_{number}"
        module.register_buffer(name, node.target(getattr(module, constant.target), **node.kwargs))
        with module.graph.inserting_before(node):
            _replace(node, module.graph.get_attr(name))


def work_in_place(graph: Any, states: int) -> bool:
    """Drop the copies that keep a graph's state as it was given, and those of its constants.

    Args:
        graph: begins with a copy of each state, as Keras changes some of them in place.
        states: how many of its first arguments, and of its outputs, are the state.

    Returns:
        Whether the graph changes the states that it is given. It does not where two states would come out as
        one tensor, which the next step would change both by one: then the copies of states stay.
    """
    for node in _calls(graph, _ALIASES):
        _replace(node, node.args[0])
    origins, written = _origins(graph)
    # What comes out as a state may be changed by the next step.
    kept = written.union(*(origins[output] for output in _outputs(graph)))
    for node in _calls(graph, {_ATEN.lift_fresh_copy.default}):
        if node not in kept:
            _replace(node, node.args[0])
    given = [node for node in graph.nodes if node.op == "placeholder"]
    place_of = {node: place for place, node in enumerate(given[:states])}
    own = {
        node: place_of[node.args[0]]
        for node in _calls(graph, {_ATEN.clone.default})
        if node.args[0] in place_of
    }
    seen: set[Any] = set(given)
    for place, output in enumerate(_outputs(graph)):
        comes_from = origins[output]
        if comes_from & seen or any(own.get(origin, place) != place for origin in comes_from):
            return False
        seen |= comes_from
    for node in own:
        _replace(node, node.args[0])
    return True


def work_of(graph: Any) -> float:
    """How much an operation makes on average, in elements.

    16 flops of a product count as one: eight lanes multiply and add at a time.
    """
    operations = [node for node in graph.nodes if node.op == "call_function"]
    total = 0.0
    for node in operations:
        made = node.meta.get("val")
        total += made.numel() if isinstance(made, torch.Tensor) else 0
        flops = flop_registry.get(getattr(node.target, "overloadpacket", None))
        # Of a constant no shape is noted; a product with one is rare.
        if flops is not None and all("val" in each.meta for each in node.all_input_nodes):
            given, named = map_arg((node.args, node.kwargs), lambda each: each.meta["val"])
            total += flops(*given, **named, out_val=made) / 16
    return total / max(1, len(operations))


def _calls(graph: Any, targets: set[Any]) -> list[Any]:
    return [node for node in graph.nodes if node.op == "call_function" and node.target in targets]


def _replace(node: Any, by: Any) -> None:
    node.replace_all_uses_with(by)
    node.graph.erase_node(node)


def _outputs(graph: Any) -> Sequence[Any]:
    (found,) = (node.args[0] for node in graph.nodes if node.op == "output")
    return found  # type: ignore[no-any-return]  # torch is not followed


def _origins(graph: Any) -> tuple[dict[Any, frozenset[Any]], set[Any]]:
    """The nodes whose memory each node may share, and those whose memory is written to.

    What an operation does to memory stands in its schema; what has none may share all that it takes.
    """
    origins: dict[Any, frozenset[Any]] = {}
    written: set[Any] = set()
    for node in graph.nodes:
        schema = getattr(node.target, "_schema", None)
        if node.target is operator.getitem and _makes_new(node.args[0]):
            origins[node] = frozenset({node})
            continue
        if node.op != "call_function" or schema is None:
            inputs = [origins[each] for each in node.all_input_nodes]
            origins[node] = frozenset({node}.union(*inputs))
            continue
        shared = {node}
        for argument, value in _arguments(schema, node):
            if argument.alias_info is None:
                continue
            held = set().union(*(origins[each] for each in _nodes(value)))
            shared |= held
            if argument.alias_info.is_write:
                written |= held
        origins[node] = frozenset({node} if _makes_new(node) else shared)
    return origins, written


def _makes_new(node: Any) -> bool:
    """Whether an operation gives memory that nothing else has; several results do not share theirs."""
    schema = getattr(node.target, "_schema", None)
    return schema is not None and all(each.alias_info is None for each in schema.returns)


def _arguments(schema: Any, node: Any) -> Iterator[tuple[Any, Any]]:
    for place, argument in enumerate(schema.arguments):
        if place < len(node.args):
            yield argument, node.args[place]
        elif argument.name in node.kwargs:
            yield argument, node.kwargs[argument.name]


def _nodes(value: Any) -> list[Any]:
    found: list[Any] = []
    map_arg(value, found.append)
    return found
