"""A module as it is read: its text, its tree, and what its names are bound to. Nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class Imported:
    """A name that an import statement binds, by the absolute dotted name of what is imported."""

    dotted: str


Binding: TypeAlias = Imported | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.expr


class SourceError(Exception):
    """A file that cannot be read as Python; the message says why and where."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}")
        self.path, self.line, self.reason = path, line, reason


@dataclass(eq=False)
class Module:
    """One Python file.

    Args:
        path: the file.
        name: dotted name under which it is imported.
        text: its source.
        is_package: whether it is an ``__init__.py``.
    """

    path: Path
    name: str
    text: str
    is_package: bool = False
    tree: ast.Module = field(init=False)

    def __post_init__(self) -> None:
        """Parse the text.

        Raises:
            SourceError: the text is not Python.
        """
        try:
            self.tree = ast.parse(self.text, filename=str(self.path))
        except SyntaxError as error:
            reason = f"cannot be read as Python: {error.msg}"
            raise SourceError(str(self.path), error.lineno or 1, reason) from None
        except (ValueError, RecursionError, MemoryError) as error:
            reason = f"cannot be read as Python: {error or type(error).__name__}"
            raise SourceError(str(self.path), 1, reason) from None

    @cached_property
    def lines(self) -> list[str]:
        """The source by line, without line ends."""
        # Not splitlines: Python's grammar ends a line at a line feed alone.
        return self.text.split("\n")

    @cached_property
    def imports(self) -> dict[str, str]:
        """Every name that an import binds anywhere in the file, to an absolute dotted name."""
        found: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                found.update(self.names_of_import(node))
        return found

    @cached_property
    def assigned(self) -> frozenset[str]:
        """Every name that something other than an import binds anywhere in the file."""
        found = set()
        for node in self.nodes:
            match node:
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                    found.add(name)
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    found.add(node.name)
        return frozenset(found)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the tree."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def bindings(self) -> dict[str, list[Binding]]:
        """What the names at the top of the module may be bound to, branches included."""
        found: dict[str, list[Binding]] = {}
        for name, binding in self._bind(self.tree.body):
            found.setdefault(name, []).append(binding)
        return found

    def _bind(self, body: list[ast.stmt]) -> Iterator[tuple[str, Binding]]:
        for node in body:
            match node:
                case ast.Import() | ast.ImportFrom():
                    for name, dotted in self.names_of_import(node).items():
                        yield name, Imported(dotted)
                case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                    yield node.name, node
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        if isinstance(target, ast.Name):
                            yield target.id, value
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    yield name, value
                case ast.If() | ast.Try() | ast.With() | ast.Match():
                    yield from self._bind(list(_nested(node)))

    def names_of_import(self, node: ast.Import | ast.ImportFrom) -> dict[str, str]:
        """The names that one import statement binds."""
        if isinstance(node, ast.Import):
            return {
                each.asname or each.name.partition(".")[0]: each.name
                if each.asname
                else each.name.partition(".")[0]
                for each in node.names
            }
        base = self.absolute(node.module or "", node.level)
        return {
            each.asname or each.name: f"{base}.{each.name}"
            for each in node.names
            if each.name != "*"
        }

    @cached_property
    def stars(self) -> list[str]:
        """Modules of which everything is imported."""
        return [
            self.absolute(node.module or "", node.level)
            for node in self.nodes
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
        ]

    def absolute(self, name: str, level: int) -> str:
        """The absolute name of a module that a relative import names."""
        if not level:
            return name
        parts = self.name.split(".")
        kept = parts[: len(parts) - level + self.is_package]
        return ".".join([*kept, *([name] if name else [])])


def _nested(node: ast.If | ast.Try | ast.With | ast.Match) -> Iterator[ast.stmt]:
    if isinstance(node, ast.Match):
        for case in node.cases:
            yield from case.body
        return
    yield from node.body
    if isinstance(node, ast.If | ast.Try):
        yield from node.orelse
    if isinstance(node, ast.Try):
        for handler in node.handlers:
            yield from handler.body
        yield from node.finalbody


def dotted(node: ast.expr) -> str:
    """``a.b.c`` as it is written; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])
