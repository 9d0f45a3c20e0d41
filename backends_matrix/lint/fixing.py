"""Applies the edits of fixes to files."""

from __future__ import annotations

import ast
import difflib
import io
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass

from backends_matrix.lint.finding import Edit, Finding, Fix


@dataclass(frozen=True)
class Fixed:
    """A text after fixes.

    Args:
        text: the new text.
        count: how many findings were mended.
    """

    text: str
    count: int


def apply_fixes(text: str, findings: Iterable[Finding], *, unsafe: bool = False) -> Fixed:
    """Apply fixes to a text; of two that overlap, the first is applied, and the other in the next round.

    A fix after which the text is not Python any more is left out.
    """
    chosen: list[Edit] = []
    imports: list[str] = []
    count = 0
    for finding in sorted(findings, key=lambda each: (each.line, each.column)):
        fix = finding.fix
        if fix is None or not (fix.safe or unsafe) or _overlaps(fix, chosen):
            continue
        trial = _edited(text, [*chosen, *fix.edits])
        if not _parses(trial):
            continue
        chosen += fix.edits
        imports += [each for each in fix.imports if each not in imports]
        count += 1
    result = _edited(text, chosen)
    for statement in imports:
        result = add_import(result, statement)
    return Fixed(result, count)


def _start(edit: Edit) -> tuple[int, int]:
    return edit.start_line, edit.start_column


def _end(edit: Edit) -> tuple[int, int]:
    return edit.end_line, edit.end_column


def _overlaps(fix: Fix, chosen: Iterable[Edit]) -> bool:
    return any(
        (_start(new) < _end(old) and _start(old) < _end(new)) or _start(new) == _start(old)
        for new in fix.edits
        for old in chosen
    )


def _edited(text: str, edits: Iterable[Edit]) -> str:
    offsets = [0]
    for line in text.split("\n"):
        offsets.append(offsets[-1] + len(line) + 1)
    for edit in sorted(edits, key=_start, reverse=True):
        start = offsets[edit.start_line - 1] + edit.start_column - 1
        end = offsets[edit.end_line - 1] + edit.end_column - 1
        text = text[:start] + edit.text + text[end:]
    return text


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def add_import(text: str, statement: str) -> str:
    """Add an import after those at the top of a text, unless it is there.

    It is not put above the first import of Keras: what stands before that may choose the backend.
    """
    tree = ast.parse(text)
    wanted = ast.dump(ast.parse(statement).body[0])
    if any(ast.dump(node) == wanted for node in tree.body):
        return text
    line = 0
    for index, node in enumerate(tree.body):
        is_docstring = (
            index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        )
        if not (is_docstring or isinstance(node, ast.Import | ast.ImportFrom)):
            break
        line = node.end_lineno or node.lineno
    first = next((each.end_lineno for each in tree.body if _imports_keras(each)), None)
    line = max(line, first or 0)
    lines = text.split("\n")
    return "\n".join([*lines[:line], statement, *lines[line:]])


def _imports_keras(node: ast.stmt) -> bool:
    match node:
        case ast.Import(names=names):
            return any(each.name.partition(".")[0] == "keras" for each in names)
        case ast.ImportFrom(module=str() as name, level=0):
            return name.partition(".")[0] == "keras"
    return False


def read_exactly(data: bytes) -> tuple[str, str, str]:
    """The text of a Python file with line feeds alone, its encoding, and its line end.

    Raises:
        SyntaxError: the declared encoding is unknown.
        UnicodeDecodeError: the file is not in it.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    text = data.decode(encoding)
    ending = "\r\n" if "\r\n" in text else "\n"
    return text.replace("\r\n", "\n"), encoding, ending


def unified_diff(path: str, before: str, after: str) -> str:
    """The difference of two texts, as ``diff -u`` and git write it."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"a/{path.lstrip('/')}",
        f"b/{path.lstrip('/')}",
    )
    return "".join(
        line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines
    )
