"""What the reading of a function meets; rules subscribe to these."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from backends_matrix.lint.ancestry import ClassInfo
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.modules import Module
from backends_matrix.lint.values import Value

if TYPE_CHECKING:
    from backends_matrix.lint.reader import Reader


@dataclass(frozen=True, slots=True)
class Call:
    """A call.

    Args:
        frame: where it stands.
        node: the call.
        name: dotted name of an external function; empty for others.
        args: values of the arguments by position.
        keywords: values of the arguments by name.
        receiver: the object whose method is called.
        method: name of the method.
        made: the object, where a class that was read is called.
        reader: reads the code.
    """

    frame: Frame
    node: ast.Call
    name: str
    args: tuple[Value, ...]
    keywords: Mapping[str, Value]
    receiver: Value | None
    method: str
    made: Value | None
    reader: Reader

    @property
    def values(self) -> tuple[Value, ...]:
        """All arguments."""
        return (*self.args, *self.keywords.values())

    def argument(self, position: int, keyword: str) -> Value | None:
        """An argument by its position or its name."""
        if keyword in self.keywords:
            return self.keywords[keyword]
        return self.args[position] if position < len(self.args) else None

    def expression(self, position: int, keyword: str) -> ast.expr | None:
        """The source of an argument by its position or its name."""
        for each in self.node.keywords:
            if each.arg == keyword:
                return each.value
        return self.node.args[position] if position < len(self.node.args) else None


@dataclass(frozen=True, slots=True)
class Test:
    """A truth test; ``what`` is ``if``, ``while``, ``assert``, ``conditional expression``, ``and``."""

    frame: Frame
    node: ast.expr
    value: Value
    what: str


@dataclass(frozen=True, slots=True)
class Iterate:
    """A loop or comprehension over a value."""

    frame: Frame
    node: ast.expr
    value: Value


@dataclass(frozen=True, slots=True)
class Index:
    """``base[index]``, read or assigned to."""

    frame: Frame
    node: ast.Subscript
    base: Value
    index: Value
    store: bool


@dataclass(frozen=True, slots=True)
class Member:
    """``base.name``, read."""

    frame: Frame
    node: ast.Attribute
    base: Value


@dataclass(frozen=True, slots=True)
class SetMember:
    """``base.name = value``, or ``+=`` where ``augmented``."""

    frame: Frame
    node: ast.Attribute
    base: Value
    before: Value
    value: Value
    augmented: bool


@dataclass(frozen=True, slots=True)
class Augment:
    """``name += value``; ``shared`` where the object has another name, or came in by a parameter."""

    frame: Frame
    node: ast.AugAssign
    value: Value
    shared: str


@dataclass(frozen=True, slots=True)
class Binary:
    """An arithmetic operation."""

    frame: Frame
    node: ast.BinOp
    left: Value
    right: Value


@dataclass(frozen=True, slots=True)
class Result:
    """``return value``."""

    frame: Frame
    node: ast.expr
    value: Value


@dataclass(frozen=True, slots=True)
class ModuleRead:
    """A whole file."""

    frame: Frame
    module: Module


@dataclass(frozen=True, slots=True)
class ClassRead:
    """A class that makes Keras objects."""

    frame: Frame
    info: ClassInfo
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class MethodRead:
    """A method that Keras calls, before it is read."""

    frame: Frame
    node: ast.FunctionDef


Event: TypeAlias = (
    Call
    | Test
    | Iterate
    | Index
    | Member
    | SetMember
    | Augment
    | Binary
    | Result
    | ModuleRead
    | ClassRead
    | MethodRead
)
