"""The linter as a plugin of flake8: the same engine, rules and settings, without the fixes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from backends_matrix.lint.engine import Linter
from backends_matrix.lint.run import lint_again
from backends_matrix.lint.settings import load
from backends_matrix.own_version import own_version

_LINTER: list[Linter] = []


class Plugin:
    """What flake8 makes for each file.

    Args:
        tree: the tree that flake8 has parsed; the linter reads its own.
        filename: the file, or ``stdin``.
        lines: its lines.
    """

    name = "portable-lint"
    version = own_version()

    def __init__(self, tree: ast.AST, filename: str, lines: Sequence[str]) -> None:
        del tree
        self.path = Path(filename)
        self.text = "".join(lines)

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Line, column from 0, text and class of each finding."""
        if not _LINTER:
            _LINTER.append(Linter())
        settings = load(self.path.parent)
        for each in lint_again(self.path, self.text, settings, _LINTER[0]):
            yield each.line, each.column - 1, f"{each.rule} {each.message}. {each.hint}", type(self)
