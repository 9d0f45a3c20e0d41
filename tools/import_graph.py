"""The imports of a checkout, read from its source without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """One name that a file imports.

    Args:
        name: absolute dotted name; ``from a import b`` gives both ``a`` and ``a.b``.
        line: where.
        eager: whether it is imported when the file is, rather than inside a function.
    """

    name: str
    line: int
    eager: bool

    @property
    def root(self) -> str:
        """The first part of the name."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, eq=False)
class Source:
    """One Python file.

    Args:
        path: from the root of the checkout, with slashes.
        text: what is in it.
    """

    path: str
    text: str

    @property
    def stem(self) -> str:
        """The file's name without its ending."""
        return Path(self.path).stem

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that the file is in, the package's own left out."""
        return Path(self.path).parts[1:-1]

    @property
    def package(self) -> str:
        """The first part of the path."""
        return self.path.partition("/")[0]

    @property
    def module(self) -> str:
        """Dotted name under which the file is imported."""
        return ".".join(Path(self.path).with_suffix("").parts).removesuffix(".__init__")

    @property
    def lines(self) -> int:
        """The number of lines."""
        return len(self.text.splitlines())

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text, filename=self.path)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Everything imported, ``importlib.import_module("literal")`` too.

        What is imported for the type checker only is left out.
        """
        return tuple(_imports(self.tree, self, eager=True))


def _imports(node: ast.AST, source: Source, *, eager: bool) -> Iterator[Import]:
    match node:
        case ast.Import(names=names):
            for name in names:
                yield Import(name.name, node.lineno, eager)
        case ast.ImportFrom():
            base = _absolute(node, source)
            yield Import(base, node.lineno, eager)
            for name in node.names:
                yield Import(f"{base}.{name.name}", node.lineno, eager)
        case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]) if ast.unparse(
            function
        ) in {"importlib.import_module", "import_module", "__import__"}:
            yield Import(name, node.lineno, eager)
    for child in _children(node):
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _imports(child, source, eager=eager and not inside)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.If) and ast.unparse(node.test) in {
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
    }:
        yield from node.orelse
    else:
        yield from ast.iter_child_nodes(node)


def _absolute(node: ast.ImportFrom, source: Source) -> str:
    if not node.level:
        return node.module or ""
    package = source.module if source.stem == "__init__" else source.module.rpartition(".")[0]
    parts = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def read_sources(root: Path, places: Sequence[str]) -> list[Source]:
    """The Python files at these places under ``root``, in the order of their paths."""
    found: list[Path] = []
    for place in places:
        path = root / place
        found += path.rglob("*.py") if path.is_dir() else [path] * path.exists()
    return [
        Source(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(found)
    ]


def chain_to(start: Source, sources: Sequence[Source], targets: Sequence[str]) -> list[str]:
    """How importing ``start`` comes to import one of ``targets``: the modules on the way, or none.

    Importing a module imports the packages above it too.
    """
    modules = {source.module: source for source in sources}
    queue = [name for name in _upwards(start.module) if name in modules]
    chains = {name: [name] for name in queue}
    while queue:
        name = queue.pop(0)
        for each in modules[name].imports:
            if not each.eager:
                continue
            if each.root in targets:
                return [*chains[name], each.root]
            for above in _upwards(each.name):
                if above in modules and above not in chains:
                    chains[above] = [*chains[name], above]
                    queue.append(above)
    return []


def find_cycles(sources: Sequence[Source]) -> list[list[str]]:
    """Return the import cycles among files: groups of modules that all reach each other.

    Lazy imports count too. The implied import of the package above a module does not count, since a package's
    ``__init__`` only re-exports names.
    """
    modules = {source.module: source for source in sources}
    edges = {name: _imported_modules(source, modules) for name, source in modules.items()}
    reached = {name: _reachable(name, edges) for name in modules}
    groups = {
        tuple(sorted(other for other in reached[name] if name in reached[other]))
        for name in modules
        if name in reached[name]
    }
    return [list(group) for group in sorted(groups)]


def _imported_modules(source: Source, modules: Mapping[str, Source]) -> set[str]:
    """The modules of the project that a file imports: ``a.b`` for ``from a import b`` if that is a module."""
    found = set()
    for each in source.imports:
        beneath = f"{each.name}."
        if any(
            other.line == each.line and other.name.startswith(beneath) for other in source.imports
        ):
            continue
        found |= set([name for name in _upwards(each.name) if name in modules][-1:])
    return found


def _reachable(start: str, edges: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    queue = [start]
    while queue:
        new = edges[queue.pop()] - found
        found |= new
        queue += new
    return found


def _upwards(name: str) -> list[str]:
    """``a.b.c`` as ``a``, ``a.b`` and ``a.b.c``."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
