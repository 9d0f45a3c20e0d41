"""Calls: of Keras, of a framework, of the package's own functions and methods."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from backends_matrix.lint import operations
from backends_matrix.lint.events import Call
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.modules import dotted
from backends_matrix.lint.names import Definition, External, framework_of, is_numpy, keras_name
from backends_matrix.lint.results import BUILTINS, MADE, builtin_result, keras_result
from backends_matrix.lint.values import (
    Closure,
    Kind,
    Value,
    other,
    result_of,
    tensor,
)

if TYPE_CHECKING:
    from backends_matrix.lint.reader import Reader


ADDING = ("add_weight", "add_variable")
"""Methods of layers and metrics that make a variable."""


def evaluate_call(reader: Reader, frame: Frame, node: ast.Call) -> Value:
    """Read a call: first what is called, then the arguments."""
    receiver, method, callee, name = _called(reader, frame, node.func)
    args: list[Value] = []
    for each in node.args:
        value = reader.evaluate(frame, each)
        if isinstance(each, ast.Starred) and value.kind is Kind.ITEMS:
            args.extend(value.items)
        else:
            args.append(value)
    keywords = {each.arg or "**": reader.evaluate(frame, each.value) for each in node.keywords}
    made = _constructed(reader, frame, node) if not name else None
    reader.emit(Call(frame, node, name, tuple(args), keywords, receiver, method, made, reader))
    if isinstance(node.func, ast.Attribute):
        _note_append(reader, frame, node.func, receiver, args)
    if callee is not None and callee.kind is Kind.FUNCTION and callee.closure is not None:
        return reader.call(frame, callee.closure, args, keywords)
    if callee is not None and callee.kind is Kind.LAYER:
        return operations.call_layer(callee, args, keywords)
    if name:
        return _external(reader, frame, name, args, keywords, node)
    if receiver is not None:
        return _method(reader, frame, receiver, method, args, keywords)
    if made is not None:
        return made
    _read_callbacks(reader, frame, [*args, *keywords.values()], known=False)
    return result_of([*args, *keywords.values()])


def _called(
    reader: Reader, frame: Frame, func: ast.expr
) -> tuple[Value | None, str, Value | None, str]:
    """Receiver and method, or the value that is called, or the dotted name of something external."""
    name = dotted(func)
    if name and frame.lookup(name.partition(".")[0]) is None:
        targets = reader.names.targets(frame.module, name)
        externals = {each.name for each in targets if isinstance(each, External)}
        if len(externals) == 1 and len(targets) == 1:
            return None, "", None, _normal(externals.pop())
        if len(targets) == 1 and isinstance(targets[0], Definition):
            definition = targets[0].node
            if isinstance(definition, ast.FunctionDef | ast.Lambda):
                closure = reader.closure_of(targets[0].module, definition)
                return None, "", Value(Kind.FUNCTION, closure=closure), ""
        if not targets and name in BUILTINS:
            return None, "", None, f"builtins.{name}"
    if isinstance(func, ast.Attribute):
        base = reader.evaluate(frame, func.value)
        if base.kind is Kind.SELF and base.info is not None:
            own = frame.lookup(f"self.{func.attr}") or reader.attributes(base.info).get(func.attr)
            if own is not None:
                return base, func.attr, own, ""
        return base, func.attr, None, ""
    return None, "", reader.evaluate(frame, func), ""


def _normal(name: str) -> str:
    """A name by which rules know the function: Keras's public one, where it is Keras's."""
    return keras_name(name) or name


def _external(
    reader: Reader,
    frame: Frame,
    name: str,
    args: Sequence[Value],
    keywords: Mapping[str, Value],
    node: ast.Call,
) -> Value:
    values = [*args, *keywords.values()]
    if name.startswith("builtins."):
        return builtin_result(name.removeprefix("builtins."), args, keywords)
    if name == "keras.layers.Lambda":
        _read_lambda(reader, frame, values)
    if name.startswith("keras."):
        found = keras_result(name, args, keywords, node)
        place = name.rpartition(".")
        if place[0] == "keras.ops" and place[2] in operations.CALLBACKS:
            _read_callbacks(reader, frame, values, known=True)
        elif name.startswith("keras.tree."):
            _read_callbacks(reader, frame, values, known=True)
            return Value(Kind.NESTED, weak=True) if any(v.is_tainted for v in values) else other()
        return found
    if framework_of(name):
        _read_callbacks(reader, frame, values, known=False)
        return Value(Kind.FRAMEWORK, name=name)
    if is_numpy(name):
        return Value(Kind.NUMPY) if any(each.is_tainted for each in values) else other()
    _read_callbacks(reader, frame, values, known=False)
    return result_of(values)


def _method(
    reader: Reader,
    frame: Frame,
    receiver: Value,
    method: str,
    args: Sequence[Value],
    keywords: Mapping[str, Value],
) -> Value:
    values = [receiver, *args, *keywords.values()]
    match receiver.kind:
        case Kind.SELF if receiver.info is not None:
            found = receiver.info.method(method)
            if method == "build":
                return other()
            if found is not None:
                owner, node = found
                decorators = {dotted(each) for each in node.decorator_list}
                bound = None if "staticmethod" in decorators else receiver
                closure = Closure(node, Frame(owner.module, None, "module"), owner, bound)
                return reader.call(frame, closure, args, keywords)
            if method in ADDING:
                return Value(Kind.VARIABLE)
            if method == "call":
                return Value(Kind.NESTED, weak=True)
        case Kind.TENSOR | Kind.VARIABLE:
            return tensor()
        case Kind.METRIC if method == "result":
            return tensor()
        case Kind.SEED if method == "next":
            return tensor()
        case Kind.FRAMEWORK:
            return Value(Kind.FRAMEWORK)
        case Kind.LAYER if method in ("call", "__call__"):
            return operations.call_layer(receiver, args, keywords)
        case Kind.NESTED if method in ("get", "pop", "values", "items", "copy", "keys"):
            if method == "items":
                pair = Value(Kind.ITEMS, items=(other(), Value(Kind.NESTED, weak=True)))
                return Value(Kind.ITEMS, items=(pair,))
            return other() if method == "keys" else Value(Kind.NESTED, weak=True)
    if receiver.name == "super" and method in ADDING:
        return Value(Kind.VARIABLE)
    _read_callbacks(reader, frame, list(args), known=False)
    return result_of(values)


def _constructed(reader: Reader, frame: Frame, node: ast.Call) -> Value | None:
    """An object of a class that was read."""
    name = dotted(node.func)
    for target in reader.names.targets(frame.module, name) if name else ():
        if isinstance(target, Definition) and isinstance(target.node, ast.ClassDef):
            info = reader.ancestry.of(target.module, target.node)
            for kind, made in MADE.items():
                if kind in info.kinds():
                    return Value(made, name=info.name, info=info)
            return other()
    return None


def _read_callbacks(reader: Reader, frame: Frame, values: Sequence[Value], *, known: bool) -> None:
    """Read functions that are given to another one; ``known``: it calls them with tensors."""
    for value in values:
        if value.kind is Kind.ITEMS:
            _read_callbacks(reader, frame, value.items, known=known)
        if value.kind is Kind.FUNCTION and value.closure is not None and frame.is_traced:
            arguments = value.closure.node.args.args
            given = [tensor() if known else other() for _ in arguments]
            if value.closure.own_class is None or value.closure.frame.node is not None:
                reader.call(frame, value.closure, given, {})


def _read_lambda(reader: Reader, frame: Frame, values: Sequence[Value]) -> None:
    """Read the function of a Lambda layer as what Keras compiles."""
    for value in values[:1]:
        if value.kind is Kind.FUNCTION and value.closure is not None:
            inner = Frame(frame.module, frame.node, "lambda", gates=frame.gates, depth=frame.depth)
            inner.host = frame.host or frame.own_class
            reader.call(inner, value.closure, [tensor(batch=True)], {})


def _note_append(
    reader: Reader, frame: Frame, func: ast.Attribute, receiver: Value | None, args: list[Value]
) -> None:
    """``outputs.append(x)`` makes a list of tensors; ``self.blocks.append(Dense(8))`` one of layers."""
    if func.attr not in ("append", "insert", "add") or not args or receiver is None:
        return
    value = args[-1]
    if isinstance(func.value, ast.Name) and receiver.kind in (Kind.ITEMS, Kind.OTHER, Kind.TENSORS):
        if value.is_tensor and not receiver.items:
            frame.names[func.value.id] = Value(Kind.TENSORS)
        elif value.is_tainted:
            frame.names[func.value.id] = Value(Kind.NESTED, weak=True)
        elif value.kind is Kind.LAYER:
            frame.names[func.value.id] = Value(Kind.ITEMS, items=(value,))
    elif isinstance(func.value, ast.Attribute) and value.kind in (Kind.LAYER, Kind.METRIC):
        owner = frame.lookup(dotted(func.value).partition(".")[0])
        if owner is not None and owner.kind is Kind.SELF and owner.info is not None:
            items = Value(Kind.ITEMS, items=(value,))
            reader.remember(owner.info, func.value.attr, items)
            frame.names[f"self.{func.value.attr}"] = items
