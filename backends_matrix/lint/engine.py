"""Lints one file: reads it, and gathers what the rules find."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from pathlib import Path

from backends_matrix.lint import rules as _rules
from backends_matrix.lint.ancestry import Ancestry
from backends_matrix.lint.entries import read_module
from backends_matrix.lint.events import Event
from backends_matrix.lint.finding import Finding, Fix
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.modules import Module, SourceError
from backends_matrix.lint.names import Names
from backends_matrix.lint.project import Project, module_name, read_text
from backends_matrix.lint.reader import Reader
from backends_matrix.lint.rule import CHECKS, Rule, character

assert _rules.LOADED, "the rules subscribe when they are imported"


@dataclass(frozen=True, slots=True)
class FileResult:
    """What linting one file gave.

    Args:
        path: the file.
        findings: by place; those in another file of the package, reached from here, too.
        error: why the file could not be read, with its line; None where it could.
        consulted: module name and root -> the file that was read for it, or None where there is none.
    """

    path: str
    findings: tuple[Finding, ...]
    error: tuple[int, str] | None = None
    consulted: tuple[tuple[str, str, str | None], ...] = ()


class Linter:
    """Lints files of one project; what was read for one file serves the next.

    Args:
        project: where modules are looked for.
    """

    def __init__(self, project: Project | None = None) -> None:
        self.project = project or Project()
        self.names = Names(self.project)
        self.ancestry = Ancestry(self.names)
        self._found: dict[tuple[str, int, int, str], Finding] = {}

    def lint(self, path: Path, text: str | None = None) -> FileResult:
        """Lint a file, or a text that stands for it."""
        self._found = {}
        self.project.consulted = {}
        try:
            module = self._module(path, text)
            reader = Reader(self.names, self.ancestry, self._dispatch)
            read_module(reader, module)
        except SourceError as error:
            return FileResult(str(path), (), (error.line, error.reason))
        except RecursionError:
            return FileResult(str(path), (), (1, "is nested too deeply to be read"))
        consulted = tuple((*key, value) for key, value in self.project.consulted.items())
        findings = tuple(sorted(self._found.values(), key=lambda each: each.key))
        return FileResult(str(path), findings, None, consulted)

    def _module(self, path: Path, text: str | None) -> Module:
        absolute = path.absolute()
        name = module_name(absolute)
        if text is None:
            module = self.project.read(absolute, name)
            if module is not None:
                return module
            text = read_text(absolute)  # raises what the matter is
        module = Module(absolute, name, text, absolute.name == "__init__.py")
        self.project.add(module)
        return module

    def _dispatch(self, event: Event) -> None:
        for check in CHECKS.get(type(event), ()):
            check(event, self._report)

    def _report(
        self,
        rule: Rule,
        frame: Frame,
        node: ast.AST,
        message: str,
        *,
        hint: str = "",
        fix: Fix | None = None,
    ) -> None:
        module = frame.module
        line, end = getattr(node, "lineno", 1), getattr(node, "end_lineno", 1)
        finding = Finding(
            path=str(module.path),
            line=line,
            column=character(module, line, getattr(node, "col_offset", 0)),
            end_line=end,
            end_column=character(module, end, getattr(node, "end_col_offset", 0)),
            rule=rule.code,
            message=message,
            hint=hint or rule.hint,
            fix=fix,
        )
        self._found.setdefault(finding.key, finding)


def lint_text(text: str, path: str = "<text>", project: Project | None = None) -> list[Finding]:
    """Lint a text as if it stood in a file; the findings bear the path as it was given.

    Raises:
        SourceError: the text is not Python.
    """
    result = Linter(project).lint(Path(path), text)
    if result.error is not None:
        raise SourceError(path, *result.error)
    here = str(Path(path).absolute())
    return [replace(each, path=path) for each in result.findings if each.path == here]
