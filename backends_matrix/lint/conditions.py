"""Conditions: truth tests, comparisons, and what is known in each branch."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from backends_matrix.lint.events import Test
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.gates import tested_types
from backends_matrix.lint.values import Kind, Value, join, maybe, other, result_of, tensor

if TYPE_CHECKING:
    from backends_matrix.lint.reader import Reader


def known_truth(frame: Frame, node: ast.expr) -> bool | None:
    """Whether ``x is None`` holds, where it is known that x is the literal None."""
    match node:
        case ast.Compare(
            left=ast.Name(id=name),
            ops=[ast.Is() | ast.IsNot() as op],
            comparators=[ast.Constant(value=None)],
        ):
            value = frame.lookup(name)
            if value is not None and value.none:
                return isinstance(op, ast.Is)
        case ast.BoolOp(op=ast.And(), values=values):
            if any(known_truth(frame, each) is False for each in values):
                return False
    return None


def test(reader: Reader, frame: Frame, node: ast.expr, what: str) -> None:
    """Read an expression whose truth is asked."""
    if isinstance(node, ast.BoolOp):
        gates, word = frame.gates, "and" if isinstance(node.op, ast.And) else "or"
        before = dict(frame.names)
        for each in node.values:
            test(reader, frame, each, word)
            if known_truth(frame, each) is (word == "or"):
                break
            # `backend() == "jax" and f(x)` reads f under the condition; likewise for types.
            holds, fails = reader.gates.of_test(frame.module, each)
            known, known_fails = tested_types(each)
            frame.gates |= holds if word == "and" else fails
            forget(frame, known if word == "and" else known_fails)
        frame.gates = gates
        frame.names = {**frame.names, **before}
        return
    value = reader.evaluate(frame, node)
    if not (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
        reader.emit(Test(frame, node, value, what))


def forget(frame: Frame, names: set[str]) -> None:
    """These names hold something whose type the code has tested: nothing is known of it any more."""
    for name in names:
        value = frame.lookup(name)
        if value is not None and value.is_tainted:
            frame.names[name] = maybe()


def evaluate_boolean(reader: Reader, frame: Frame, node: ast.BoolOp) -> Value:
    """Read ``and`` or ``or``; each operand but the last is tested."""
    word = "and" if isinstance(node.op, ast.And) else "or"
    values: list[Value] = []
    before, gates = dict(frame.names), frame.gates
    for index, each in enumerate(node.values):
        last = index == len(node.values) - 1
        if isinstance(each, ast.BoolOp) or last:
            values.append(reader.evaluate(frame, each))
        else:
            value = reader.evaluate(frame, each)
            reader.emit(Test(frame, each, value, word))
            values.append(value)
        holds, fails = reader.gates.of_test(frame.module, each)
        known, known_fails = tested_types(each)
        frame.gates |= holds if word == "and" else fails
        forget(frame, known if word == "and" else known_fails)
    frame.names, frame.gates = {**frame.names, **before}, gates
    # `x.shape[0] or -1`: the size is replaced where it is not known.
    if word == "or" and values[0].kind is Kind.DIM:
        return Value(Kind.OTHER)
    found = values[0]
    for value in values[1:]:
        found = join(found, value)
    return found


def evaluate_compare(reader: Reader, frame: Frame, node: ast.Compare) -> Value:
    """Read a comparison; a chained one tests each link but the last."""
    values = [reader.evaluate(frame, each) for each in (node.left, *node.comparators)]
    if len(node.ops) > 1:
        for each, value in zip(node.comparators[:-1], values[1:-1], strict=True):
            if value.acts_as_tensor or values[0].acts_as_tensor:
                reader.emit(Test(frame, each, tensor(dtype="bool"), "chained comparison"))
    if isinstance(node.ops[0], ast.Is | ast.IsNot | ast.In | ast.NotIn):
        return other()
    return _comparison(values)


def _comparison(values: list[Value]) -> Value:
    if any(isinstance(each.literal, str) for each in values):
        return other()
    if any(each.kind is Kind.FRAMEWORK for each in values):
        return Value(Kind.FRAMEWORK)
    if any(each.acts_as_tensor for each in values):
        return tensor(any(each.batch for each in values), "bool")
    if any(each.kind is Kind.NESTED and not each.weak for each in values):
        numbers = any(isinstance(each.literal, int | float) for each in values)
        return tensor(dtype="bool") if numbers else maybe()
    return result_of(values)


def evaluate_conditional(reader: Reader, frame: Frame, node: ast.IfExp) -> Value:
    """Read a conditional expression, each branch under its condition."""
    test(reader, frame, node.test, "conditional expression")
    holds, fails = reader.gates.of_test(frame.module, node.test)
    known, known_fails = tested_types(node.test)
    before = dict(frame.names)
    truth = known_truth(frame, node.test)
    if truth is not None:
        return reader.evaluate(frame, node.body if truth else node.orelse)
    with frame.gated(holds):
        forget(frame, known)
        first = reader.evaluate(frame, node.body)
    frame.names = dict(before)
    with frame.gated(fails):
        forget(frame, known_fails)
        second = reader.evaluate(frame, node.orelse)
    frame.names = before
    return join(first, second)
