"""The abstract value of each kind of expression."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from backends_matrix.lint import calls, conditions
from backends_matrix.lint.events import Binary, Index, Iterate, Member
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.modules import dotted
from backends_matrix.lint.names import Definition, External, keras_name
from backends_matrix.lint.values import (
    Closure,
    Kind,
    Value,
    constant,
    element_of,
    maybe,
    other,
    result_of,
    tensor,
)

if TYPE_CHECKING:
    from backends_matrix.lint.reader import Reader


def evaluate(reader: Reader, frame: Frame, node: ast.expr) -> Value:
    """The abstract value of an expression, its parts read in order."""
    match node:
        case ast.Constant():
            return constant(node)
        case ast.Name():
            return _name(reader, frame, node)
        case ast.Attribute():
            return _attribute(reader, frame, node)
        case ast.Call():
            return calls.evaluate_call(reader, frame, node)
        case ast.Subscript():
            return _subscript(reader, frame, node)
        case ast.BinOp():
            return _binary(reader, frame, node)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            conditions.test(reader, frame, operand, "not")
            return other()
        case ast.UnaryOp(operand=operand):
            value = reader.evaluate(frame, operand)
            if isinstance(node.op, ast.USub) and isinstance(value.literal, int | float):
                return value.copy(literal=-value.literal)
            return value.copy(parameter="", literal=None) if value.is_tensor else value
        case ast.BoolOp():
            return conditions.evaluate_boolean(reader, frame, node)
        case ast.Compare():
            return conditions.evaluate_compare(reader, frame, node)
        case ast.IfExp():
            return conditions.evaluate_conditional(reader, frame, node)
        case ast.Tuple(elts=elts) | ast.List(elts=elts) | ast.Set(elts=elts):
            return _sequence(reader, frame, elts)
        case ast.Dict(keys=keys, values=values):
            found = [reader.evaluate(frame, each) for each in (*filter(None, keys), *values)]
            if any(each.holds_tensors for each in found):
                return Value(Kind.NESTED, weak=True)
            return result_of(found)
        case ast.Lambda():
            return Value(Kind.FUNCTION, closure=Closure(node, frame, frame.own_class))
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            return _comprehension(reader, frame, node)
        case ast.DictComp():
            _generators(reader, frame, node.generators)
            value = reader.evaluate(frame, node.value)
            return Value(Kind.NESTED, weak=True) if value.holds_tensors else result_of([value])
        case ast.NamedExpr(target=target, value=inner):
            value = reader.evaluate(frame, inner)
            frame.names[target.id] = value
            return value
        case ast.Starred(value=inner):
            return reader.evaluate(frame, inner)
        case ast.Await(value=inner):
            return reader.evaluate(frame, inner)
        case ast.JoinedStr(values=parts):
            for part in parts:
                if isinstance(part, ast.FormattedValue):
                    reader.evaluate(frame, part.value)
            return other()
        case ast.Slice(lower=lower, upper=upper, step=step):
            bounds = (each for each in (lower, upper, step) if each is not None)
            return Value(Kind.OTHER, items=tuple(reader.evaluate(frame, each) for each in bounds))
    return other()


def _name(reader: Reader, frame: Frame, node: ast.Name) -> Value:
    found = frame.lookup(node.id)
    if found is not None:
        return found
    return _definition(reader, frame, node.id)


def _definition(reader: Reader, frame: Frame, name: str) -> Value:
    targets = reader.names.targets(frame.module, name)
    if len(targets) != 1:
        return other()
    target = targets[0]
    if isinstance(target, External):
        return Value(Kind.OTHER, name=target.name)
    return _defined(reader, target)


def _defined(reader: Reader, target: Definition) -> Value:
    node = target.node
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        return Value(Kind.FUNCTION, closure=reader.closure_of(target.module, node))
    if isinstance(node, ast.Call):
        called = dotted(node.func)
        name = keras_name(reader.names.external(target.module, called)) if called else ""
        if name == "keras.random.SeedGenerator":
            return Value(Kind.SEED, name="module")
        if name == "keras.Variable":
            return Value(Kind.VARIABLE)
    return other()


def _attribute(reader: Reader, frame: Frame, node: ast.Attribute) -> Value:
    name = dotted(node)
    if name and frame.lookup(name.partition(".")[0]) is None:
        found = _definition(reader, frame, name)
        if found.name or found.closure:
            return found
    base = reader.evaluate(frame, node.value)
    reader.emit(Member(frame, node, base))
    return member(reader, frame, base, node.attr)


def member(reader: Reader, frame: Frame, base: Value, name: str) -> Value:
    """What an attribute of a value holds."""
    if base.kind is Kind.SELF and base.info is not None:
        own = frame.lookup(f"self.{name}")
        if own is not None:
            return own
        found = reader.attributes(base.info).get(name)
        return found if found is not None else other()
    if base.kind in (Kind.TENSOR, Kind.NESTED):
        if name == "shape":
            return Value(Kind.SHAPE, batch=base.batch)
        if name in ("T", "mT", "real", "imag", "at"):
            return tensor()
        return other() if base.is_tensor else maybe()
    if base.kind is Kind.VARIABLE and name == "value":
        return tensor()
    if base.kind is Kind.VARIABLE and name == "shape":
        return Value(Kind.OTHER)
    return maybe() if base.kind is Kind.MAYBE else other()


def _subscript(reader: Reader, frame: Frame, node: ast.Subscript) -> Value:
    base = reader.evaluate(frame, node.value)
    index = reader.evaluate(frame, node.slice)
    reader.emit(Index(frame, node, base, index, store=isinstance(node.ctx, ast.Store)))
    return item(node.slice, base, index)


def item(slice_: ast.expr, base: Value, index: Value) -> Value:
    """What ``base[index]`` gives."""
    number = index.literal if isinstance(index.literal, int) else None
    match base.kind:
        case Kind.TENSOR:
            keeps = isinstance(slice_, ast.Tuple) and (
                isinstance(slice_.elts[0], ast.Slice) and slice_.elts[0].lower is None
                if slice_.elts
                else False
            )
            whole = isinstance(slice_, ast.Tuple) and any(
                isinstance(each, ast.Constant) and each.value is Ellipsis
                for each in slice_.elts[:1]
            )
            return tensor(base.batch and (keeps or whole), base.dtype, base.symbolic)
        case Kind.TENSORS | Kind.NESTED | Kind.ITEMS if isinstance(slice_, ast.Slice):
            return base if base.kind is Kind.TENSORS else Value(Kind.NESTED, weak=True)
        case Kind.TENSORS:
            return tensor(base.batch)
        case Kind.NESTED:
            picks = isinstance(slice_, ast.Tuple)
            return tensor(base.batch) if picks else Value(Kind.NESTED, batch=base.batch, weak=True)
        case Kind.SHAPE | Kind.SIZES if isinstance(slice_, ast.Slice):
            keeps = slice_.lower is None
            return Value(base.kind, batch=base.batch and keeps)
        case Kind.SHAPE:
            return Value(Kind.DIM, batch=base.batch and number == 0)
        case Kind.SIZES:
            return Value(Kind.SIZE, batch=base.batch and number == 0)
        case Kind.ITEMS if number is not None and -len(base.items) <= number < len(base.items):
            return base.items[number]
        case Kind.ITEMS:
            return element_of(base)
        case Kind.VARIABLE:
            return tensor()
        case Kind.MAYBE:
            return maybe()
    return other()


def _binary(reader: Reader, frame: Frame, node: ast.BinOp) -> Value:
    left, right = reader.evaluate(frame, node.left), reader.evaluate(frame, node.right)
    reader.emit(Binary(frame, node, left, right))
    return combine(left, right)


def combine(left: Value, right: Value) -> Value:
    """What an arithmetic operation gives."""
    pair = (left, right)
    kinds = {left.kind, right.kind}
    if Kind.FRAMEWORK in kinds:
        return Value(Kind.FRAMEWORK)
    if any(each.acts_as_tensor for each in pair):
        tensors = [each for each in pair if each.acts_as_tensor]
        dtype = tensors[0].dtype if len({each.dtype for each in tensors}) == 1 else ""
        return tensor(
            any(each.batch for each in tensors), dtype, any(each.symbolic for each in tensors)
        )
    if Kind.NESTED in kinds:
        numbers = all(
            each.kind is Kind.NESTED or isinstance(each.literal, int | float) for each in pair
        )
        return tensor(any(each.batch for each in pair)) if numbers else Value(Kind.NESTED)
    if Kind.ITEMS in kinds and left.kind is right.kind:
        return Value(Kind.ITEMS, items=(*left.items, *right.items))
    if kinds & {Kind.SHAPE, Kind.SIZES}:
        first = left if left.kind in (Kind.SHAPE, Kind.SIZES) else right
        return Value(first.kind, batch=first is left and left.batch)
    for kind in (Kind.SIZE, Kind.DIM):
        if kind in kinds:
            return Value(kind, batch=any(each.kind is kind and each.batch for each in pair))
    return result_of(pair)


def _sequence(reader: Reader, frame: Frame, elts: list[ast.expr]) -> Value:
    items: list[Value] = []
    for each in elts:
        value = reader.evaluate(frame, each)
        if isinstance(each, ast.Starred):
            items.extend(value.items or (element_of(value),))
        else:
            items.append(value)
    return Value(Kind.ITEMS, items=tuple(items))


def _comprehension(
    reader: Reader, frame: Frame, node: ast.ListComp | ast.SetComp | ast.GeneratorExp
) -> Value:
    before = dict(frame.names)
    _generators(reader, frame, node.generators)
    value = reader.evaluate(frame, node.elt)
    frame.names = before
    if value.is_tensor:
        return Value(Kind.TENSORS)
    return Value(Kind.ITEMS, items=(value,))


def _generators(reader: Reader, frame: Frame, generators: list[ast.comprehension]) -> None:
    for each in generators:
        iterated = reader.evaluate(frame, each.iter)
        reader.emit(Iterate(frame, each.iter, iterated))
        reader.assign(frame, each.target, element_of(iterated))
        for condition in each.ifs:
            conditions.test(reader, frame, condition, "condition of a comprehension")
