"""Reads functions with abstract values and tells rules what it meets; never runs or imports the code."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from backends_matrix.lint import expressions, statements
from backends_matrix.lint.ancestry import Ancestry, ClassInfo
from backends_matrix.lint.events import Event
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.gates import Gates
from backends_matrix.lint.modules import Function, Module
from backends_matrix.lint.names import Names
from backends_matrix.lint.parameters import asks_type
from backends_matrix.lint.values import Closure, Kind, Value, constant, join, maybe, other

DEEPEST = 5
"""Calls followed from an entry point."""

MOST_CALLS = 400
"""Functions read for one entry point; what goes beyond is taken as unknown."""


class Reader:
    """Reads one entry point after the other.

    Args:
        names: resolves names.
        ancestry: describes classes.
        emit: is told each event.
    """

    def __init__(self, names: Names, ancestry: Ancestry, emit: Callable[[Event], None]) -> None:
        self.names = names
        self.ancestry = ancestry
        self.gates = Gates(names)
        self._emit = emit
        self._muted = 0
        self._budget = MOST_CALLS
        self._attributes: dict[ClassInfo, dict[str, Value]] = {}
        self._stack: list[Function] = []
        self._results: dict[tuple[object, ...], Value] = {}

    def emit(self, event: Event) -> None:
        """Tell the rules, unless the reading only gathers what attributes hold."""
        if not self._muted:
            self._emit(event)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Read without telling the rules."""
        self._muted += 1
        try:
            yield
        finally:
            self._muted -= 1

    def evaluate(self, frame: Frame, node: ast.expr) -> Value:
        """The abstract value of an expression."""
        return expressions.evaluate(self, frame, node)

    def assign(self, frame: Frame, target: ast.expr, value: Value) -> None:
        """Give a name, or a structure of names, a value."""
        statements.assign(self, frame, target, value)

    def execute(self, frame: Frame, body: Sequence[ast.stmt]) -> None:
        """Read statements."""
        statements.execute(self, frame, body)

    def enter(self, frame: Frame) -> Value:
        """Read an entry point whose parameters are bound already."""
        self._budget = MOST_CALLS
        self._results.clear()
        node = frame.node
        assert node is not None
        self._stack.append(node)
        try:
            self._run(frame, node)
        finally:
            self._stack.pop()
        return frame.result()

    def _run(self, frame: Frame, node: Function) -> None:
        if isinstance(node, ast.Lambda):
            frame.returned.append(self.evaluate(frame, node.body))
        else:
            self.execute(frame, node.body)

    def call(
        self,
        frame: Frame,
        closure: Closure,
        args: Sequence[Value],
        keywords: Mapping[str, Value],
    ) -> Value:
        """Read a function that is called with these values."""
        node = closure.node
        given = [*args, *keywords.values()]
        unknown = Value(Kind.MAYBE if any(each.is_tainted for each in given) else Kind.OTHER)
        if node in self._stack or frame.depth >= DEEPEST or self._budget <= 0:
            return unknown
        signature = tuple((v.kind, v.batch, v.dtype, v.name) for v in given)
        key = (node, signature, tuple(keywords), frame.gates, bool(self._muted))
        is_top = closure.frame.node is None
        if is_top and key in self._results:
            return self._results[key]
        self._budget -= 1
        inner = Frame(
            closure.frame.module,
            node,
            frame.role,
            own_class=closure.own_class,
            parent=None if is_top else closure.frame,
            gates=frame.gates | closure.frame.gates | closure.gates,
            depth=frame.depth + 1,
            lazy=frame.lazy,
            host=frame.host or frame.own_class,
            entry=frame.entry or frame,
        )
        self._bind(inner, closure, args, keywords)
        self._stack.append(node)
        try:
            self._run(inner, node)
        finally:
            self._stack.pop()
        found = inner.result()
        if is_top:
            self._results[key] = found
        return found

    def _bind(
        self, inner: Frame, closure: Closure, args: Sequence[Value], keywords: Mapping[str, Value]
    ) -> None:
        parameters = closure.node.args
        names = [each.arg for each in (*parameters.posonlyargs, *parameters.args)]
        for name in (*names, *(each.arg for each in parameters.kwonlyargs)):
            inner.names[name] = other()
        defaults = [*zip(names[::-1], parameters.defaults[::-1], strict=False)]
        defaults += [
            (each.arg, default)
            for each, default in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)
            if default is not None
        ]
        for name, default in defaults:
            if isinstance(default, ast.Constant) and default.value is None:
                inner.names[name] = constant(default)
        bound = [closure.bound, *args] if closure.bound is not None else list(args)
        for name, value in zip(names, bound, strict=False):
            # A function that asks for the type of a parameter takes other things than tensors there.
            asks = value.is_tainted and asks_type(closure.node, name)
            inner.names[name] = maybe() if asks else value
        if parameters.vararg:
            inner.names[parameters.vararg.arg] = Value(Kind.ITEMS, items=tuple(bound[len(names) :]))
        for name, value in keywords.items():
            if name in inner.names:
                inner.names[name] = value

    def attributes(self, info: ClassInfo) -> dict[str, Value]:
        """What ``self``'s attributes hold, from what ``__init__`` and ``build`` assign."""
        if info in self._attributes:
            return self._attributes[info]
        table = self._attributes[info] = {}
        # What is being read may be the very __init__ that assigns them.
        stack, self._stack = self._stack, []
        with self.muted():
            for each in reversed(list(dict.fromkeys(info.ancestors()))):
                for method in ("__init__", "build"):
                    node = each.own(method)
                    if node is not None:
                        self._gather(each, info, node)
        self._stack = stack
        return table

    def _gather(self, owner: ClassInfo, info: ClassInfo, node: ast.FunctionDef) -> None:
        frame = Frame(owner.module, node, node.name, own_class=owner)
        for index, parameter in enumerate([*node.args.posonlyargs, *node.args.args]):
            shape = parameter.arg.endswith("shape")
            frame.names[parameter.arg] = Value(Kind.SHAPE if shape else Kind.OTHER)
            if index == 0:
                frame.names[parameter.arg] = Value(Kind.SELF, info=info)
        budget, self._budget = self._budget, MOST_CALLS
        self._stack.append(node)
        try:
            self.execute(frame, node.body)
        finally:
            self._stack.pop()
            self._budget = budget

    def remember(self, info: ClassInfo, name: str, value: Value) -> None:
        """Note what an attribute of ``self`` is assigned while attributes are gathered."""
        table = self._attributes.get(info)
        if table is None or not self._muted:
            return
        before = table.get(name)
        if before is None or (before.kind is Kind.OTHER and before.literal is None):
            table[name] = value
        elif value.kind is not Kind.OTHER:
            table[name] = join(before, value) if before.kind is value.kind else value

    def closure_of(self, module: Module, node: Function) -> Closure:
        """A function at the top of a module."""
        return Closure(node, Frame(module, None, "module"))
