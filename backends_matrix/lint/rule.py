"""What a rule is, and how it subscribes to what the reading meets."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from backends_matrix.lint.events import Event
from backends_matrix.lint.finding import Edit, Fix
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.modules import Imported, Module


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Args:
        code: such as ``PK101``; the first digit is the group.
        name: a few words, joined by hyphens.
        group: name of the group, which ``--select`` takes too.
        summary: what the rule finds, in one sentence.
        why: what goes wrong on which backend.
        seen: the message that a user sees there; empty where the numbers differ in silence.
        hint: what to write instead.
        static: why running cannot show that the rule matters; empty where it does.
    """

    code: str
    name: str
    group: str
    summary: str
    why: str
    hint: str
    seen: str = ""
    static: str = ""


class Report(Protocol):
    """Takes a finding."""

    def __call__(
        self,
        rule: Rule,
        frame: Frame,
        node: ast.AST,
        message: str,
        *,
        hint: str = "",
        fix: Fix | None = None,
    ) -> None:
        """Note that a rule is broken at a node."""


RULES: dict[str, Rule] = {}
"""All rules by code."""

CHECKS: dict[type, list[Callable[..., None]]] = {}
"""Functions that check, by the type of event that they subscribe to."""

E = TypeVar("E", bound=Event)
Check = Callable[[E, Report], None]


def define(rule: Rule) -> Rule:
    """Add a rule.

    Raises:
        ValueError: its code is taken.
    """
    if rule.code in RULES:
        raise ValueError(f"rule {rule.code} is defined twice: {RULES[rule.code].name}, {rule.name}")
    RULES[rule.code] = rule
    return rule


def on(event: type[E]) -> Callable[[Check[E]], Check[E]]:
    """Subscribe a function to a type of event."""

    def subscribe(check: Check[E]) -> Check[E]:
        CHECKS.setdefault(event, []).append(check)
        return check

    return subscribe


def character(module: Module, line: int, byte: int) -> int:
    """The column of a byte offset within a line, from 1, in characters."""
    if not 0 < line <= len(module.lines):
        return byte + 1
    text = module.lines[line - 1]
    return byte + 1 if text.isascii() else len(text.encode()[:byte].decode(errors="ignore")) + 1


def replace(module: Module, node: ast.AST, text: str) -> Edit:
    """The edit that replaces a node's text."""
    line, end = getattr(node, "lineno", 1), getattr(node, "end_lineno", 1)
    start_column = character(module, line, getattr(node, "col_offset", 0))
    end_column = character(module, end, getattr(node, "end_col_offset", 0))
    return Edit(line, start_column, end, end_column, text)


def source(module: Module, node: ast.AST) -> str:
    """A node's text as it stands in the file."""
    return ast.get_source_segment(module.text, node) or ""


def ops_alias(module: Module) -> tuple[str, tuple[str, ...]]:
    """How a module names ``keras.ops``, and the import that it lacks for that."""
    for wanted, rest in (("keras.ops", ""), ("keras", ".ops")):
        for name, bound in module.bindings.items():
            imported = any(isinstance(each, Imported) and each.dotted == wanted for each in bound)
            if imported and name not in module.assigned:
                return f"{name}{rest}", ()
    taken = module.assigned | module.imports.keys()
    if "ops" not in taken:
        return "ops", ("from keras import ops",)
    return "keras_ops", ("from keras import ops as keras_ops",)
