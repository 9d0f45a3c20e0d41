"""Hold the architecture: who imports what, who asks which backend runs, how files are named.

The rules are data, in ``import_rules.toml``. Run it from the root of the checkout::

    python tools/import_lint.py

Exit status 0 when every rule holds, 1 when one is broken, 2 when there is nothing to check.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from import_graph import Source, chain_to, find_cycles, read_sources

Rules: TypeAlias = Mapping[str, Any]
_VERSION = re.compile(r"\bkeras\.(__version__|version\()|metadata\.version\(")
_BACKEND = re.compile(r"backend|current\(", re.IGNORECASE)

Violation: TypeAlias = tuple[str, int, str]
"""A file, a line and what is wrong there."""

RULES = Path(__file__).with_name("import_rules.toml")


def load_rules(path: Path = RULES) -> Rules:
    """The rules, as in ``import_rules.toml``."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _within(path: str, places: Sequence[str] | Mapping[str, Any]) -> bool:
    """Whether a file is one of these places: files, or folders that end in a slash."""
    return any(
        path == place or (place.endswith("/") and path.startswith(place)) for place in places
    )


def direction(sources: Sequence[Source], rules: Rules) -> Iterator[Violation]:
    """A package never imports the one that is built on it."""
    for source in sources:
        forbidden = rules["direction"].get(source.package)
        for each in source.imports:
            if forbidden and each.root == forbidden:
                yield source.path, each.line, f"{source.package} never imports {forbidden}"


def frameworks(sources: Sequence[Source], rules: Rules) -> Iterator[Violation]:
    """A framework is imported only under its name: lazily in a file, freely in its own folder."""
    for source in sources:
        listed = rules["framework_files"].get(source.path, {}).get("imports", ())
        for each in source.imports:
            words = rules["frameworks"].get(each.root)
            if source.package not in rules["packages"] or words is None:
                continue
            in_folder = any(word in part for word in words for part in source.folders)
            in_file = any(word in source.stem for word in words)
            if not (in_folder or in_file or each.root in listed):
                yield (
                    source.path,
                    each.line,
                    f"imports {each.root}: only a file whose name holds {' or '.join(words)} may",
                )
            elif each.eager and not (in_folder or _within(source.path, rules["eager"])):
                yield (
                    source.path,
                    each.line,
                    f"imports {each.root} at its top: import it in a function",
                )


def asks_backend(sources: Sequence[Source], rules: Rules) -> Iterator[Violation]:
    """Which backend runs is asked in one place."""
    for source in sources:
        if source.package not in rules["packages"] or _within(source.path, rules["asks_backend"]):
            continue
        for node in ast.walk(source.tree):
            if _is_question(node):
                yield (
                    source.path,
                    getattr(node, "lineno", 0),
                    "asks which backend runs: make it a method of portable_models._backend.Backend",
                )


def _is_question(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value="KERAS_BACKEND"):
            return True
        case ast.Call(func=ast.Attribute() as function):
            dotted = ast.unparse(function).removeprefix("keras.")
            return dotted in {"backend.backend", "config.backend"}
        case ast.ImportFrom(module="keras.backend" | "keras.config", names=names):
            return any(name.name == "backend" for name in names)
    return False


def compares_backend(sources: Sequence[Source], rules: Rules) -> Iterator[Violation]:
    """The definitions hold no branch on a backend's name."""
    rule = rules["compares_backend"]
    for source in sources:
        if source.package not in rule["packages"] or _within(source.path, rule["allowed"]):
            continue
        for node in ast.walk(source.tree):
            # A comparison of something else, an export target say, with the same word is no branch.
            compared = isinstance(node, ast.Compare) and _BACKEND.search(ast.unparse(node))
            for constant in ast.walk(node) if compared else ():
                if isinstance(constant, ast.Constant) and constant.value in rule["names"]:
                    yield (
                        source.path,
                        constant.lineno,
                        f"compares with {constant.value!r}: make it a method of Backend",
                    )


def keras_versions(sources: Sequence[Source], rules: Rules) -> Iterator[Violation]:
    """What differs between releases of Keras stands in one place, and so does what is private in Keras."""
    rule = rules["keras_versions"]
    for source in sources:
        if source.package not in rule["packages"]:
            continue
        for node in ast.walk(source.tree):
            line = getattr(node, "lineno", 0)
            if _is_private(node) and not _within(source.path, rule["private"]):
                message = "reaches into keras.src: make it a function of portable_models._keras"
                yield source.path, line, message
            compares = isinstance(node, ast.Compare) and _VERSION.search(ast.unparse(node))
            if compares and not _within(source.path, rule["compares"]):
                message = "compares a version: find out what is there, in portable_models._keras"
                yield source.path, line, message


def _is_private(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return any(_is_inside(name.name) for name in names)
        case ast.ImportFrom(module=str(module), names=names):
            whole = [f"{module}.{name.name}" for name in names]
            return any(map(_is_inside, [module, *whole]))
        case ast.Call(args=[ast.Constant(value=str(name)), *_]):
            return ast.unparse(node.func).endswith("import_module") and _is_inside(name)
        case ast.Attribute(attr="src"):
            return ast.unparse(node) == "keras.src"
    return False


def _is_inside(dotted: str) -> bool:
    return dotted == "keras.src" or dotted.startswith("keras.src.")


def keras_free(sources: Sequence[Source], rules: Rules) -> Iterator[Violation]:
    """What the parent process imports never leads to keras or a framework."""
    rule = rules["keras_free"]
    for source in sources:
        if not _within(source.path, rule["modules"]) or _within(source.path, rule["exempt"]):
            continue
        chain = chain_to(source, sources, rule["never"])
        if chain:
            steps = " -> ".join(chain)
            yield (
                source.path,
                1,
                f"must not import {chain[-1]}, but does when it is imported: {steps}",
            )


def cycles(sources: Sequence[Source], rules: Rules) -> Iterator[Violation]:
    """No module is imported by what it imports."""
    for package in rules["cycles"]["packages"]:
        mine = [source for source in sources if source.package == package]
        paths = {source.module: source.path for source in mine}
        for group in find_cycles(mine):
            yield paths[group[0]], 1, f"import cycle: {' <-> '.join(group)}"


def names(sources: Sequence[Source], rules: Rules) -> Iterator[Violation]:
    """A file's name says what is in it."""
    for source in sources:
        for word in set(source.stem.strip("_").split("_")) & set(rules["forbidden_words"]):
            yield (
                source.path,
                1,
                f"is called {word!r}, which says nothing: name it for what it does",
            )


def lengths(sources: Sequence[Source], rules: Rules) -> Iterator[Violation]:
    """A file is short enough to hold in the head."""
    for source in sources:
        if source.lines > rules["max_lines"]:
            yield (
                source.path,
                source.lines,
                f"has {source.lines} lines, {rules['max_lines']} at most: it is two ideas",
            )


CHECKS: tuple[Callable[[Sequence[Source], Rules], Iterator[Violation]], ...] = (
    direction,
    frameworks,
    asks_backend,
    compares_backend,
    keras_versions,
    keras_free,
    cycles,
    names,
    lengths,
)


def check(root: Path, rules: Rules) -> list[Violation]:
    """Every place under ``root`` where a rule is broken, by file and line.

    Raises:
        FileNotFoundError: there is no Python file to check, which would pass for the wrong reason.
    """
    sources = read_sources(root, rules["sources"])
    if not sources:
        raise FileNotFoundError(
            f"no Python file under {root}: expected {', '.join(rules['sources'])}"
        )
    return sorted(violation for each in CHECKS for violation in each(sources, rules))


def main() -> int:
    """Check the checkout in the current folder and print what is wrong."""
    rules = load_rules()
    try:
        violations = check(Path(), rules)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    for path, line, message in violations:
        print(f"{path}:{line}: {message}")
    files = len(read_sources(Path(), rules["sources"]))
    print(f"import lint: {files} files, {len(CHECKS)} rules, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
