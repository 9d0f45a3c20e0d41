"""A function that is being read: its names, the class it belongs to, and what is allowed in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backends_matrix.lint.modules import Function, Module
from backends_matrix.lint.values import Value, join, other

if TYPE_CHECKING:
    from backends_matrix.lint.ancestry import ClassInfo

ANY = "*"
"""A gate that lets everything pass: the code chooses by the backend in a way that is not followed further."""


@dataclass(eq=False)
class Frame:
    """One function, method or module body while it is read.

    Args:
        module: the file.
        node: the function; None for the body of a module.
        role: what the function is to Keras: ``call``, ``step``, ``loss``, ``metric``, ``build``, ``shape``,
            ``functional`` …
        own_class: the class whose method it is.
        parent: the frame of the enclosing function.
        gates: backends under whose condition the code stands; such code is left alone.
        depth: how many calls deep the reading is.
        lazy: whether the code stands under a condition that an attribute is not there yet, so that it runs
            once, when Keras builds the layer by calling it.
        host: the class whose method the reading began with.
        entry: the frame that the reading began with; None in that frame itself.
    """

    module: Module
    node: Function | None
    role: str
    own_class: ClassInfo | None = None
    parent: Frame | None = None
    gates: frozenset[str] = frozenset()
    depth: int = 0
    names: dict[str, Value] = field(default_factory=dict)
    returned: list[Value] = field(default_factory=list)
    lazy: bool = False
    host: ClassInfo | None = None
    entry: Frame | None = None

    def lookup(self, name: str) -> Value | None:
        """What a name holds, here or in an enclosing function."""
        frame: Frame | None = self
        while frame is not None:
            if name in frame.names:
                return frame.names[name]
            frame = frame.parent
        return None

    @contextmanager
    def gated(self, gates: frozenset[str]) -> Iterator[None]:
        """Read what follows as code under a condition on the backend."""
        before, self.gates = self.gates, self.gates | gates
        try:
            yield
        finally:
            self.gates = before

    def allows(self, backend: str) -> bool:
        """Whether the code stands under a condition that this backend, or any, meets."""
        return ANY in self.gates or backend in self.gates

    def merge(self, *branches: Mapping[str, Value]) -> None:
        """Continue with what the names hold after any of these branches."""
        if not branches:
            return
        merged: dict[str, Value] = {}
        for name in {name for branch in branches for name in branch}:
            values = [branch[name] for branch in branches if name in branch]
            found = values[0]
            for each in values[1:]:
                found = join(found, each)
            # A name that one branch alone binds is unbound, or was None, in the other.
            merged[name] = found
        self.names = merged

    def result(self) -> Value:
        """What the function returns."""
        if not self.returned:
            return other()
        found = self.returned[0]
        for each in self.returned[1:]:
            found = join(found, each)
        return found

    @property
    def is_traced(self) -> bool:
        """Whether the function is compiled by a backend, so that its Python runs once."""
        return self.role in TRACED

    def position(self, node: ast.AST) -> tuple[int, int]:
        """Line and column of a node."""
        return getattr(node, "lineno", 1), getattr(node, "col_offset", 0)


TRACED = frozenset(
    {
        "call",
        "step",
        "loss",
        "metric",
        "schedule",
        "regularizer",
        "constraint",
        "optimizer",
        "lambda",
    }
)
"""Roles of functions that Keras compiles."""
