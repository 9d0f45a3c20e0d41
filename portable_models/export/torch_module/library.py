"""The layer library as text: which definitions a generated module needs, and their source."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "torch_layers"


@dataclass(frozen=True)
class Definition:
    """A class, function or constant of the library.

    Args:
        name: its name, unique in the library.
        order: its place in the library.
        text: its source.
        needs: names of the library that it uses.
        forward: the argument names of ``forward``, for a layer.
        methods: the names of its methods and those of its bases.
        imports: import statements of its file that it needs.
    """

    name: str
    order: int
    text: str
    needs: frozenset[str]
    forward: tuple[str, ...]
    methods: frozenset[str]
    imports: frozenset[str]


@functools.cache
def definitions() -> dict[str, Definition]:
    """Every definition of the library by name."""
    parsed: dict[str, tuple[ast.stmt, str, int, dict[str, str]]] = {}
    order = 0
    for path in sorted(_FOLDER.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        imports = _imports(tree)
        for node in tree.body:
            name = _defined(node)
            if name is not None:
                parsed[name] = (node, ast.get_source_segment(text, node) or "", order, imports)
                order += 1
    found: dict[str, Definition] = {}
    for name, (node, segment, place, imports) in parsed.items():
        used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        bases = [parsed[base][0] for base in _bases(node) if base in parsed]
        bodies = [node, *bases]
        functions = [f for body in bodies for f in _functions(body)]
        forward = next((_arguments(f) for f in functions if f.name == "forward"), ())
        found[name] = Definition(
            name,
            place,
            segment,
            frozenset(used & parsed.keys() - {name}),
            forward,
            frozenset(f.name for f in functions),
            frozenset(imports[word] for word in used if word in imports),
        )
    return found


def closure(names: Iterable[str]) -> list[Definition]:
    """The definitions with these names and all that they need, each after what it needs."""
    library = definitions()
    ordered: dict[str, Definition] = {}

    def visit(name: str) -> None:
        if name not in ordered and name in library:
            for needed in sorted(library[name].needs, key=lambda each: library[each].order):
                visit(needed)
            ordered[name] = library[name]

    for name in sorted(set(names) & library.keys(), key=lambda each: library[each].order):
        visit(name)
    return list(ordered.values())


def names_in(source: str) -> set[str]:
    """The names that a piece of source uses."""
    return {each.id for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Name)}


def _imports(tree: ast.Module) -> dict[str, str]:
    """Bound name -> the statement that imports it, the library's own modules left out."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {(a.asname or a.name).split(".")[0]: f"import {a.name}" for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {a.name: f"from {node.module} import {a.name}" for a in node.names}
    return found


def _defined(node: ast.stmt) -> str | None:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def _bases(node: ast.stmt) -> list[str]:
    bases = node.bases if isinstance(node, ast.ClassDef) else []
    return [base.id for base in bases if isinstance(base, ast.Name)]


def _functions(node: ast.stmt) -> list[ast.FunctionDef]:
    body = node.body if isinstance(node, ast.ClassDef) else []
    return [each for each in body if isinstance(each, ast.FunctionDef)]


def _arguments(function: ast.FunctionDef) -> tuple[str, ...]:
    arguments = function.args
    return tuple(a.arg for a in [*arguments.args, *arguments.kwonlyargs] if a.arg != "self")
