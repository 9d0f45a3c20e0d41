"""Comments that silence findings: ``# portable: ignore[PK101] reason``."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass

from backends_matrix.lint.finding import Finding
from backends_matrix.lint.rule import Rule, define

UNEXPLAINED = define(
    Rule(
        "PK001",
        "ignore-without-reason",
        "comments",
        "A comment silences a finding and does not say why.",
        "Nobody knows later whether it may go.",
        "Write # portable: ignore[PK101] followed by the reason.",
        static="it is about comments",
    )
)
UNUSED = define(
    Rule(
        "PK002",
        "ignore-without-finding",
        "comments",
        "A comment silences a rule that finds nothing there.",
        "It hides the next finding.",
        "Delete the comment.",
        static="it is about comments",
    )
)

_COMMENT = re.compile(
    r"#\s*portable:\s*ignore(?P<file>-file)?\s*(?:\[(?P<codes>[^\]]*)\])?(?P<reason>.*)"
)


@dataclass(eq=False)
class Ignore:
    """One comment.

    Args:
        line: where it stands.
        column: its first column, from 1.
        length: how long the comment is.
        codes: rules that it silences; empty for none, which is a mistake.
        reason: why.
        whole_file: whether it is for the whole file.
        lines: the lines that it is for.
        used: codes that it silenced.
    """

    line: int
    column: int
    length: int
    codes: frozenset[str]
    reason: str
    whole_file: bool
    lines: range
    used: set[str]


def read_ignores(text: str) -> list[Ignore]:
    """All such comments of a file; each is for the statement, or the header of the block, where it stands."""
    if "portable:" not in text:
        return []
    spans = _spans(text)
    found = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        match = _COMMENT.search(token.string)
        if match is None:
            continue
        line = token.start[0]
        codes = frozenset(
            each.strip() for each in (match["codes"] or "").split(",") if each.strip()
        )
        alone = not token.line[: token.start[1]].strip()
        target = line + 1 if alone else line
        found.append(
            Ignore(
                line,
                token.start[1] + 1 + match.start(),
                len(token.string) - match.start(),
                codes,
                match["reason"].strip(" :-—"),
                bool(match["file"]),
                spans.get(target, range(target, target + 1)),
                set(),
            )
        )
    return found


def _spans(text: str) -> dict[int, range]:
    """Line -> the lines of the statement that it belongs to; of a compound one, its header."""
    spans: dict[int, range] = {}
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt):
            continue
        end = node.end_lineno or node.lineno
        body = getattr(node, "body", None)
        if isinstance(body, list) and body:
            end = max(node.lineno, body[0].lineno - 1)
        lines = range(node.lineno, end + 1)
        for line in lines:
            if line not in spans or len(lines) < len(spans[line]):
                spans[line] = lines
    return spans


def silence(findings: list[Finding], ignores: list[Ignore]) -> list[Finding]:
    """The findings that no comment with a reason silences."""
    kept = []
    for finding in findings:
        silenced = False
        for ignore in ignores:
            if finding.rule in ignore.codes and (ignore.whole_file or finding.line in ignore.lines):
                ignore.used.add(finding.rule)
                silenced |= bool(ignore.reason)
        if not silenced:
            kept.append(finding)
    return kept


def complaints(path: str, ignores: list[Ignore], applied: frozenset[str]) -> list[Finding]:
    """What is wrong with the comments themselves."""
    found = []
    for ignore in ignores:
        rule, message = None, ""
        unused = {code for code in ignore.codes - ignore.used if code in applied}
        if not ignore.codes:
            rule, message = (
                UNEXPLAINED,
                "the comment names no rule: write ignore[PK101] and the reason",
            )
        elif not ignore.reason:
            rule, message = UNEXPLAINED, "the comment gives no reason, so that it silences nothing"
        elif unused:
            rule, message = UNUSED, f"nothing of {', '.join(sorted(unused))} is found here"
        if rule is not None and rule.code in applied:
            place = (ignore.line, ignore.column, ignore.line, ignore.column + ignore.length)
            found.append(Finding(path, *place, rule.code, message, rule.hint))
    return found
