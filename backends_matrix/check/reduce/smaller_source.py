"""Smaller versions of Python source: fewer statements, smaller numbers."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence

FILE_METHODS = (
    "save_own_variables",
    "load_own_variables",
    "save_assets",
    "load_assets",
    "get_config",
    "from_config",
    "get_build_config",
    "build_from_config",
)
"""Methods that make and read files: with less of them, a file loses what it did not lose before."""


def smaller_definitions(
    definitions: Sequence[str], whole: Sequence[str] = ()
) -> Iterator[tuple[str, ...]]:
    """Definitions without one of them, or with one method or statement less.

    What no longer runs is found by running it; nothing is decided here.

    Args:
        definitions: source of classes, functions and constants.
        whole: names of methods that stay as they are.
    """
    for place in reversed(range(len(definitions))):
        rest = (*definitions[:place], *definitions[place + 1 :])
        if rest and definitions[place]:
            yield rest
        for smaller in _with_less(definitions[place], whole):
            yield (*definitions[:place], smaller, *definitions[place + 1 :])


def _with_less(source: str, whole: Sequence[str]) -> Iterator[str]:
    tree = ast.parse(source)
    kept = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in whole
        for part in ast.walk(node)
    }
    bodies = [
        (number, index)
        for number, node in enumerate(ast.walk(tree))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.If | ast.For | ast.With)
        for index in range(len(node.body))
        if id(node.body[index]) not in kept
    ]
    for number, index in bodies:
        changed = copy.deepcopy(tree)
        node = list(ast.walk(changed))[number]
        assert isinstance(node, ast.ClassDef | ast.FunctionDef | ast.If | ast.For | ast.With)
        removed = node.body.pop(index)
        if isinstance(removed, ast.Return | ast.Pass):
            continue
        if isinstance(removed, ast.FunctionDef) and removed.name == "call":
            continue
        node.body = node.body or [ast.Pass()]
        yield ast.unparse(ast.fix_missing_locations(changed))


def smaller_numbers(expression: str) -> Iterator[str]:
    """An expression with one whole number in it made smaller."""
    if not expression:
        return
    tree = ast.parse(_with_names(expression), mode="eval")
    numbers = [
        (place, node.value)
        for place, node in enumerate(ast.walk(tree))
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value > 1
    ]
    for place, value in numbers:
        for less in sorted({1, 2, value // 2, value - 1}):
            if 1 <= less < value:
                changed = copy.deepcopy(tree)
                node = list(ast.walk(changed))[place]
                assert isinstance(node, ast.Constant)
                node.value = less
                yield _with_places(ast.unparse(changed))


def fewer_arguments(expression: str) -> Iterator[str]:
    """A call without one of its named arguments."""
    if not expression:
        return
    tree = ast.parse(_with_names(expression), mode="eval")
    if not isinstance(tree.body, ast.Call):
        return
    for place in reversed(range(len(tree.body.keywords))):
        changed = copy.deepcopy(tree)
        assert isinstance(changed.body, ast.Call)
        del changed.body.keywords[place]
        yield _with_places(ast.unparse(changed))


def _with_names(expression: str) -> str:
    """Places ``{0}`` as names that can be parsed."""
    for number in range(64):
        expression = expression.replace(f"{{{number}}}", f"tensor_{number}_")
    return expression.replace("{layer}", "layer_").replace("{{", "{").replace("}}", "}")


def _with_places(expression: str) -> str:
    expression = expression.replace("{", "{{").replace("}", "}}")
    for number in range(64):
        expression = expression.replace(f"tensor_{number}_", f"{{{number}}}")
    return expression.replace("layer_", "{layer}")
