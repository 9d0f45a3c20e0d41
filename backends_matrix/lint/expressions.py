"""The abstract value of each kind of expression."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from backends_matrix.lint import calls
from backends_matrix.lint.events import Binary, Index, Iterate, Member, Test
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.gates import tested_types
from backends_matrix.lint.modules import dotted
from backends_matrix.lint.names import Definition, External, keras_name
from backends_matrix.lint.values import (
    Closure,
    Kind,
    Value,
    constant,
    element_of,
    join,
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
            test(reader, frame, operand, "not")
            return other()
        case ast.UnaryOp(operand=operand):
            value = reader.evaluate(frame, operand)
            if isinstance(node.op, ast.USub) and isinstance(value.literal, int | float):
                return value.copy(literal=-value.literal)
            return value.copy(parameter="", literal=None) if value.is_tensor else value
        case ast.BoolOp():
            return _boolean(reader, frame, node)
        case ast.Compare():
            return _compare(reader, frame, node)
        case ast.IfExp():
            return _conditional(reader, frame, node)
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
        case ast.JoinedStr():
            return other()
    return other()


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
    index = reader.evaluate(frame, node.slice) if not isinstance(node.slice, ast.Slice) else other()
    if isinstance(node.slice, ast.Slice):
        for part in (node.slice.lower, node.slice.upper, node.slice.step):
            if part is not None:
                reader.evaluate(frame, part)
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
                isinstance(each, ast.Constant) and each.value is Ellipsis for each in slice_.elts[:1]
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
        numbers = all(each.kind is Kind.NESTED or isinstance(each.literal, int | float) for each in pair)
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


def _boolean(reader: Reader, frame: Frame, node: ast.BoolOp) -> Value:
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


def _compare(reader: Reader, frame: Frame, node: ast.Compare) -> Value:
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


def _conditional(reader: Reader, frame: Frame, node: ast.IfExp) -> Value:
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
    from backends_matrix.lint.statements import assign

    for each in generators:
        iterated = reader.evaluate(frame, each.iter)
        reader.emit(Iterate(frame, each.iter, iterated))
        assign(reader, frame, each.target, element_of(iterated))
        for condition in each.ifs:
            test(reader, frame, condition, "condition of a comprehension")
