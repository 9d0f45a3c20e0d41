"""Abstract values: what the linter knows of an expression without running it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backends_matrix.lint.ancestry import ClassInfo
    from backends_matrix.lint.frame import Frame
    from backends_matrix.lint.modules import Function


class Kind(Enum):
    """What an expression gives, as far as it is known."""

    OTHER = auto()  # known not to be a tensor, or nothing is known and no tensor went in
    MAYBE = auto()  # a tensor went in; what came out is not known
    TENSOR = auto()
    NESTED = auto()  # a tensor, or a structure of tensors
    SHAPE = auto()  # ``x.shape``: integers and None
    DIM = auto()  # one of these
    SIZES = auto()  # ``ops.shape(x)``: integers and, on TensorFlow, tensors
    SIZE = auto()  # one of these
    ITEMS = auto()  # a tuple or list whose items are known
    TENSORS = auto()  # a list of tensors of any length
    LAYER = auto()
    VARIABLE = auto()
    METRIC = auto()
    OPTIMIZER = auto()
    SEED = auto()
    FRAMEWORK = auto()  # made by a framework's own function
    NUMPY = auto()
    FUNCTION = auto()
    SELF = auto()


@dataclass(eq=False, slots=True)
class Value:
    """An abstract value; two names bound to the same object are aliases.

    Args:
        kind: what it is.
        batch: whether axis 0 is the batch; of a DIM or SIZE, whether it is the size of the batch.
        dtype: ``bool``, ``int`` or ``float`` where it is known.
        items: what a tuple or list holds.
        name: dotted name of the class of a layer or metric, or of the function that made the value.
        parameter: the parameter that the value came in by, unchanged.
        symbolic: whether it is the placeholder of a functional model.
        closure: the function, for one that was defined nearby.
        literal: the constant, where it is one.
        info: the class of ``self``, or of a layer that was read.
        weak: whether a NESTED value is likely to be a structure rather than one tensor.
        none: whether it is the literal None.
        literal_set: keyword arguments that a layer was made with.
    """

    kind: Kind
    batch: bool = False
    dtype: str = ""
    items: tuple[Value, ...] = ()
    name: str = ""
    parameter: str = ""
    symbolic: bool = False
    closure: Closure | None = None
    literal: Any = None
    info: ClassInfo | None = None
    weak: bool = False
    none: bool = False
    literal_set: frozenset[str] = frozenset()

    @property
    def is_tensor(self) -> bool:
        """Whether it is surely one tensor."""
        return self.kind is Kind.TENSOR

    @property
    def holds_tensors(self) -> bool:
        """Whether it is a tensor or a structure of tensors."""
        if self.kind is Kind.ITEMS:
            return any(each.holds_tensors for each in self.items)
        return self.kind in (Kind.TENSOR, Kind.NESTED, Kind.TENSORS)

    @property
    def is_tainted(self) -> bool:
        """Whether a tensor may have gone into it."""
        if self.kind is Kind.ITEMS:
            return any(each.is_tainted for each in self.items)
        return self.kind in (Kind.TENSOR, Kind.NESTED, Kind.TENSORS, Kind.MAYBE)

    @property
    def acts_as_tensor(self) -> bool:
        """Whether arithmetic with it gives a tensor: a tensor or a variable."""
        return self.kind in (Kind.TENSOR, Kind.VARIABLE)

    def copy(self, **changes: Any) -> Value:
        """A value of its own, with changes."""
        return replace(self, **changes)


@dataclass(eq=False, slots=True)
class Closure:
    """A function and the frame in which it was defined; no frame for one at the top of a module."""

    node: Function
    frame: Frame
    own_class: ClassInfo | None = None
    bound: Value | None = None
    gates: frozenset[str] = frozenset()


def other() -> Value:
    """A value of which nothing is known and that no tensor went into."""
    return Value(Kind.OTHER)


def maybe() -> Value:
    """A value that a tensor went into."""
    return Value(Kind.MAYBE)


def tensor(batch: bool = False, dtype: str = "", symbolic: bool = False) -> Value:
    """A tensor."""
    return Value(Kind.TENSOR, batch=batch, dtype=dtype, symbolic=symbolic)


def result_of(values: Sequence[Value]) -> Value:
    """What an unknown function gives for these arguments."""
    return maybe() if any(each.is_tainted for each in values) else other()


def join(first: Value, second: Value) -> Value:
    """What a name holds after two branches."""
    if first is second:
        return first
    if first.kind is second.kind:
        if first.kind is Kind.ITEMS and len(first.items) != len(second.items):
            tainted = first.is_tainted or second.is_tainted
            return Value(Kind.MAYBE if tainted else Kind.OTHER)
        if first.kind is Kind.ITEMS:
            pairs = zip(first.items, second.items, strict=True)
            return Value(Kind.ITEMS, items=tuple(join(*pair) for pair in pairs))
        return Value(
            first.kind,
            batch=first.batch and second.batch,
            dtype=first.dtype if first.dtype == second.dtype else "",
            name=first.name if first.name == second.name else "",
            parameter=first.parameter if first.parameter == second.parameter else "",
            symbolic=first.symbolic and second.symbolic,
            closure=first.closure or second.closure,
            literal=first.literal if first.literal == second.literal else None,
            info=first.info if first.info is second.info else None,
            weak=first.weak or second.weak,
            none=first.none and second.none,
        )
    kinds = {first.kind, second.kind}
    if kinds == {Kind.TENSOR, Kind.NESTED}:
        return Value(Kind.NESTED)
    if first.is_tainted or second.is_tainted:
        return maybe()
    return other()


def element_of(value: Value) -> Value:
    """What iterating over a value gives."""
    match value.kind:
        case Kind.TENSOR | Kind.TENSORS:
            return tensor(symbolic=value.symbolic)
        case Kind.NESTED:
            return Value(Kind.NESTED, weak=True)
        case Kind.ITEMS if value.items:
            found = value.items[0]
            for each in value.items[1:]:
                found = join(found, each)
            return found
        case Kind.SHAPE:
            return Value(Kind.DIM)
        case Kind.SIZES:
            return Value(Kind.SIZE)
        case Kind.MAYBE:
            return maybe()
        case _:
            return other()


def constant(node: ast.Constant) -> Value:
    """The value of a literal."""
    return Value(Kind.OTHER, literal=node.value, none=node.value is None)
