"""Reads statements: assignments, branches, loops."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from backends_matrix.lint.conditions import forget, known_truth, test
from backends_matrix.lint.events import Augment, Binary, Index, Iterate, Result, SetMember
from backends_matrix.lint.expressions import combine, member
from backends_matrix.lint.frame import ANY, Frame
from backends_matrix.lint.gates import definition_gates, tested_types
from backends_matrix.lint.names import framework_of
from backends_matrix.lint.values import Closure, Kind, Value, element_of, other

if TYPE_CHECKING:
    from backends_matrix.lint.reader import Reader


def execute(reader: Reader, frame: Frame, body: Sequence[ast.stmt]) -> None:
    """Read statements in order; what follows a branch that always leaves is read under its opposite."""
    gates = frame.gates
    for node in body:
        _statement(reader, frame, node, body)
        if isinstance(node, ast.If) and _leaves(node.body) and not node.orelse:
            _, fails = reader.gates.of_test(frame.module, node.test)
            frame.gates |= fails
            forget(frame, tested_types(node.test)[1])
        if isinstance(node, ast.Return | ast.Raise | ast.Continue | ast.Break):
            break
    frame.gates = gates


def _leaves(body: Sequence[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


def _statement(reader: Reader, frame: Frame, node: ast.stmt, body: Sequence[ast.stmt]) -> None:
    match node:
        case ast.Expr(value=value):
            reader.evaluate(frame, value)
        case ast.Assign(targets=targets, value=value):
            found = reader.evaluate(frame, value)
            for target in targets:
                assign(reader, frame, target, found)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            assign(reader, frame, target, reader.evaluate(frame, value))
        case ast.AugAssign():
            _augmented(reader, frame, node)
        case ast.Return(value=value):
            if value is not None:
                found = reader.evaluate(frame, value)
                frame.returned.append(found)
                reader.emit(Result(frame, value, found))
        case ast.If():
            _if(reader, frame, node)
        case ast.For() | ast.AsyncFor():
            _for(reader, frame, node)
        case ast.While():
            test(reader, frame, node.test, "while")
            _branch(reader, frame, node.body)
        case ast.Assert():
            test(reader, frame, node.test, "assert")
            forget(frame, tested_types(node.test)[0])
        case ast.With() | ast.AsyncWith():
            for item in node.items:
                value_ = reader.evaluate(frame, item.context_expr)
                if item.optional_vars is not None:
                    assign(reader, frame, item.optional_vars, value_)
            reader.execute(frame, node.body)
        case ast.Try() | ast.TryStar():
            # What is tried may fail, and the code says what is done then.
            broad = any(_is_broad(each) for each in node.handlers)
            with frame.gated(frozenset({ANY}) if broad else frozenset()):
                _branch(reader, frame, node.body)
            for handler in node.handlers:
                _branch(reader, frame, handler.body)
            reader.execute(frame, [*node.orelse, *node.finalbody])
        case ast.Match():
            _match(reader, frame, node)
        case ast.FunctionDef():
            closure = Closure(node, frame, frame.own_class)
            closure.gates = definition_gates(node.name, body)
            frame.names[node.name] = Value(Kind.FUNCTION, closure=closure)
        case ast.Delete(targets=targets):
            for target in targets:
                if isinstance(target, ast.Name):
                    frame.names.pop(target.id, None)


def assign(reader: Reader, frame: Frame, target: ast.expr, value: Value) -> None:
    """Bind a target."""
    match target:
        case ast.Name(id=name):
            frame.names[name] = value
        case ast.Tuple(elts=elts) | ast.List(elts=elts):
            _unpack(reader, frame, elts, value)
        case ast.Starred(value=inner):
            assign(reader, frame, inner, value)
        case ast.Attribute(value=owner, attr=name):
            base = reader.evaluate(frame, owner)
            before = member(reader, frame, base, name)
            reader.emit(SetMember(frame, target, base, before, value, augmented=False))
            if base.kind is Kind.SELF and base.info is not None:
                reader.remember(base.info, name, value)
                frame.names[f"self.{name}"] = value
        case ast.Subscript(value=owner, slice=index):
            base = reader.evaluate(frame, owner)
            place = reader.evaluate(frame, index)
            reader.emit(Index(frame, target, base, place, store=True))
            if isinstance(owner, ast.Name) and value.holds_tensors and base.kind is Kind.OTHER:
                frame.names[owner.id] = Value(Kind.NESTED, weak=True)


def _unpack(reader: Reader, frame: Frame, elts: Sequence[ast.expr], value: Value) -> None:
    starred = any(isinstance(each, ast.Starred) for each in elts)
    exact = value.kind is Kind.ITEMS and len(value.items) == len(elts) and not starred
    for index, each in enumerate(elts):
        if exact:
            found = value.items[index]
        elif value.kind in (Kind.SHAPE, Kind.SIZES):
            kind = Kind.DIM if value.kind is Kind.SHAPE else Kind.SIZE
            found = Value(kind, batch=value.batch and index == 0)
            if isinstance(each, ast.Starred):
                found = Value(value.kind, batch=value.batch and index == 0)
        else:
            found = element_of(value)
        assign(reader, frame, each, found)


def _augmented(reader: Reader, frame: Frame, node: ast.AugAssign) -> None:
    value = reader.evaluate(frame, node.value)
    target = node.target
    if isinstance(target, ast.Name):
        before = frame.lookup(target.id) or other()
        shared = _other_name(frame, target.id, before)
        reader.emit(Augment(frame, node, before, shared))
        as_operation = ast.copy_location(
            ast.BinOp(
                ast.copy_location(ast.Name(target.id, ast.Load()), target), node.op, node.value
            ),
            node,
        )
        reader.emit(Binary(frame, as_operation, before, value))
        frame.names[target.id] = combine(before, value)
    elif isinstance(target, ast.Attribute):
        base = reader.evaluate(frame, target.value)
        before = member(reader, frame, base, target.attr)
        reader.emit(SetMember(frame, target, base, before, value, augmented=True))
    elif isinstance(target, ast.Subscript):
        base = reader.evaluate(frame, target.value)
        place = reader.evaluate(frame, target.slice)
        reader.emit(Index(frame, target, base, place, store=True))


def _other_name(frame: Frame, name: str, value: Value) -> str:
    """By which other name the object is known, so that changing it in place would be seen."""
    if value.parameter:
        return value.parameter
    for known, held in frame.names.items():
        if held is value and known != name and not known.startswith("self."):
            return known
    return ""


def _if(reader: Reader, frame: Frame, node: ast.If) -> None:
    test(reader, frame, node.test, "if")
    holds, fails = reader.gates.of_test(frame.module, node.test)
    known, known_fails = tested_types(node.test)
    truth = known_truth(frame, node.test)
    if truth is not None:
        reader.execute(frame, node.body if truth else node.orelse)
        return
    holds |= _imports(frame, node.body)
    before, lazy = dict(frame.names), frame.lazy
    with frame.gated(holds):
        forget(frame, known)
        frame.lazy = lazy or _is_lazy(node.test)
        reader.execute(frame, node.body)
    after_body, frame.lazy = frame.names, lazy
    frame.names = dict(before)
    with frame.gated(fails):
        forget(frame, known_fails)
        reader.execute(frame, node.orelse)
    after_else = frame.names
    branches = []
    if not _leaves(node.body):
        branches.append(after_body)
    if not _leaves(node.orelse):
        branches.append(after_else)
    frame.names = before
    frame.merge(*branches)


def _is_broad(handler: ast.ExceptHandler) -> bool:
    """Whether an exception handler catches what a backend may raise, and goes on."""
    if handler.body and isinstance(handler.body[-1], ast.Raise):
        return False
    named = ast.unparse(handler.type) if handler.type is not None else "Exception"
    return any(word in named for word in ("Exception", "TypeError", "ValueError", "RuntimeError"))


def _imports(frame: Frame, body: Sequence[ast.stmt]) -> frozenset[str]:
    """Backends whose framework a conditional block imports for itself."""
    found = {
        framework_of(name)
        for node in body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in frame.module.names_of_import(node).values()
    }
    return frozenset(found - {""})


def _is_lazy(test: ast.expr) -> bool:
    """Whether a condition asks if an attribute of ``self`` is there yet."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Attribute(value=ast.Name(id="self"))):
            return True
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Name(id="hasattr"))):
            return True
        case ast.Compare(
            left=ast.Attribute(value=ast.Name(id="self")),
            ops=[ast.Is()],
            comparators=[ast.Constant(value=None)],
        ):
            return True
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(map(_is_lazy, values))
    return False


def _for(reader: Reader, frame: Frame, node: ast.For | ast.AsyncFor) -> None:
    value = reader.evaluate(frame, node.iter)
    reader.emit(Iterate(frame, node.iter, value))
    assign(reader, frame, node.target, element_of(value))
    before = dict(frame.names)
    reader.execute(frame, node.body)
    # A total that begins as a number is a tensor after the loop, which runs at least once.
    totals = {
        name: held
        for name, held in frame.names.items()
        if held.is_tensor and name in before and isinstance(before[name].literal, int | float)
    }
    frame.merge(before, frame.names)
    frame.names.update(totals)
    reader.execute(frame, node.orelse)


def _branch(reader: Reader, frame: Frame, body: Sequence[ast.stmt]) -> None:
    """Read a body that may run any number of times."""
    before = dict(frame.names)
    reader.execute(frame, body)
    frame.merge(before, frame.names)


def _match(reader: Reader, frame: Frame, node: ast.Match) -> None:
    reader.evaluate(frame, node.subject)
    gates = frozenset({ANY}) if reader.gates.of_match(frame.module, node) else frozenset()
    before = dict(frame.names)
    branches = [before]
    for case in node.cases:
        frame.names = dict(before)
        with frame.gated(gates):
            reader.execute(frame, case.body)
        branches.append(frame.names)
    frame.names = before
    frame.merge(*branches)
