"""What a call of Keras or of Python's builtins gives."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from backends_matrix.lint import operations
from backends_matrix.lint.ancestry import keras_kind
from backends_matrix.lint.values import Kind, Value, element_of, maybe, other, result_of, tensor

MADE = {
    "layer": Kind.LAYER,
    "model": Kind.LAYER,
    "metric": Kind.METRIC,
    "optimizer": Kind.OPTIMIZER,
}


_FUNCTIONS = {"keras.ops", "keras.activations", "keras.random", "keras.losses", "keras.metrics"}


_KEEPING = {"list", "tuple", "reversed", "sorted", "iter", "set"}


BUILTINS = frozenset(
    {
        "len",
        "range",
        "zip",
        "enumerate",
        "float",
        "int",
        "bool",
        "max",
        "min",
        "sum",
        "abs",
        "round",
    }
    | {
        "sorted",
        "list",
        "tuple",
        "reversed",
        "isinstance",
        "print",
        "any",
        "all",
        "getattr",
        "iter",
    }
    | {
        "map",
        "filter",
        "set",
        "divmod",
        "complex",
        "str",
        "super",
        "hasattr",
        "type",
        "next",
        "pow",
    }
)


def keras_result(
    name: str, args: Sequence[Value], keywords: Mapping[str, Value], node: ast.Call
) -> Value:
    """What a function or class of Keras gives; ``name`` is its public name."""
    place, _, last = name.rpartition(".")
    if name in ("keras.Input", "keras.layers.Input"):
        return tensor(batch="batch_shape" not in keywords, symbolic=True)
    if name == "keras.random.SeedGenerator":
        return Value(Kind.SEED, name="here")
    if name in ("keras.Variable", "keras.backend.Variable"):
        return Value(Kind.VARIABLE)
    kind = MADE.get(keras_kind(name))
    if kind is not None:
        given = {
            each.arg
            for each in node.keywords
            if each.arg and not (isinstance(each.value, ast.Constant) and each.value.value is False)
        }
        return Value(kind, name=name, literal_set=frozenset(given))
    if place.startswith("keras.ops"):
        return operations.call_operation(last, args, keywords)
    if (
        place in _FUNCTIONS
        and last[:1].islower()
        and last not in ("get", "serialize", "deserialize")
    ):
        return tensor(bool(args) and args[0].batch and place == "keras.activations")
    return result_of([*args, *keywords.values()])


def builtin_result(name: str, args: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
    """What a builtin function gives."""
    first = args[0] if args else other()
    if name == "zip":
        return Value(Kind.ITEMS, items=(Value(Kind.ITEMS, items=tuple(map(element_of, args))),))
    if name == "enumerate":
        pair = Value(Kind.ITEMS, items=(other(), element_of(first)))
        return Value(Kind.ITEMS, items=(pair,))
    if name in _KEEPING:
        if first.is_tensor:
            return Value(Kind.TENSORS)
        return first.copy(parameter="")
    if name == "next":
        return element_of(first)
    if name in ("max", "min", "sum", "abs", "round", "pow"):
        if first.kind is Kind.TENSORS or any(each.is_tensor for each in args):
            return tensor()
        return result_of(args) if name != "sum" else maybe() if first.is_tainted else other()
    if name == "super":
        return Value(Kind.OTHER, name="super")
    if name == "getattr":
        return other()
    return other()
