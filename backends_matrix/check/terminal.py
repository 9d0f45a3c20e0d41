"""What a person sees: one block for each target, and a table at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from backends_matrix.check.result import PORTABLE, Check, CheckReport, Kind, Status, TargetResult
from backends_matrix.report.records import showable

_COLOURS = {
    Status.PASS: "green",
    Status.FAIL: "red",
    Status.SKIP: "yellow",
    Status.EXPECTED: "cyan",
}
_MARKS = {Status.PASS: "ok", Status.FAIL: "FAIL", Status.SKIP: "skip", Status.EXPECTED: "exp"}


def show(report: CheckReport, console: Console) -> None:
    """Print a report."""
    for target in report.targets:
        _show_target(target, console)
    if len(report.targets) > 1:
        console.print(_summary(report))
    executed = sum(target.executed for target in report.targets)
    colour = "green" if report.verdict == PORTABLE else "red"
    console.print(
        f"[{colour}]{report.verdict}[/]: {executed} checks ran on {len(report.targets)} target(s)"
    )


def _show_target(target: TargetResult, console: Console) -> None:
    colour = "green" if target.verdict == PORTABLE else "red"
    console.print(
        f"[bold]{_safe(target.target)}[/]: [{colour}]{target.verdict}[/], {target.executed} checks, "
        f"{target.seconds:.1f} s",
        soft_wrap=True,
    )
    console.print(_grid(target.checks))
    for line in (*_left_out(target.checks), *_skipped(target.checks)):
        console.print(f"[yellow]note[/]: {_safe(line)}", soft_wrap=True)
    for check in causes(target.checks):
        _show_cause(check, console)
    for script in target.scripts:
        where = script.path or "no script"
        told = f"{where}: {script.check} on {script.backend}: {script.reason}"
        console.print(f"[bold]reduced[/] {_safe(told)}", soft_wrap=True)


def _left_out(checks: Sequence[Check]) -> list[str]:
    """Backends on which nothing ran, and why; and that one backend alone is compared with no other."""
    left = {
        each.backend: each.cause
        for each in checks
        if each.name == "import" and each.status is Status.SKIP
    }
    told = [f"not checked on {backend}: {cause}" for backend, cause in left.items()]
    ran = {each.backend for each in checks if each.executed and ">" not in each.backend}
    if len(ran) == 1:
        told.append(f"checked on {ran.pop()} alone: no other backend's numbers were compared")
    return told


def _skipped(checks: Sequence[Check]) -> list[str]:
    """What was skipped, and why: a line for each reason."""
    names: dict[str, list[str]] = {}
    for each in checks:
        if each.status is Status.SKIP and each.name != "import" and each.cause:
            names.setdefault(each.cause, []).append(each.name)
    return [f"skipped {', '.join(dict.fromkeys(each))}: {cause}" for cause, each in names.items()]


def _grid(checks: Sequence[Check]) -> Table:
    """Checks by backend."""
    backends = list(dict.fromkeys(check.backend for check in checks if ">" not in check.backend))
    table = Table("check", *backends, box=None, pad_edge=False)
    for name in dict.fromkeys(check.name for check in checks if ">" not in check.backend):
        row = [_cell([c for c in checks if c.name == name and c.backend == b]) for b in backends]
        table.add_row(name, *row)
    for name in dict.fromkeys(check.name for check in checks if ">" in check.backend):
        row = [
            _cell([c for c in checks if c.name == name and c.backend.endswith(f">{b}")])
            for b in backends
        ]
        table.add_row(name, *row)
    return table


def _cell(checks: Sequence[Check]) -> str:
    if not checks:
        return "-"
    order = (Status.FAIL, Status.EXPECTED, Status.SKIP, Status.PASS)
    worst = min(checks, key=lambda check: order.index(check.status))
    text = _MARKS[worst.status]
    if worst.difference is not None and worst.difference < float("inf"):
        text += f" {worst.difference:.0e}/{worst.tolerance or 0.0:.0e}"
    return f"[{_COLOURS[worst.status]}]{text}[/]"


def causes(checks: Sequence[Check]) -> list[Check]:
    """One failure of each cause, first those of the author."""
    found: dict[tuple[str, str, int | None, str], Check] = {}
    for check in checks:
        if check.status in (Status.FAIL, Status.EXPECTED):
            key = (check.layer, check.file, check.line, check.cause if not check.line else "")
            found.setdefault(key, check)
    order = (Kind.AUTHOR, Kind.KERAS, Kind.HARNESS, Kind.REPORTED, None)
    return sorted(found.values(), key=lambda check: order.index(check.kind))


def _show_cause(check: Check, console: Console) -> None:
    place = f" {check.file}:{check.line}" if check.line else ""
    layer = f" [{check.layer}]" if check.layer else ""
    head = f"{check.kind or ''}: {check.name} on {check.backend}{layer}{place}"
    console.print(f"[{_COLOURS[check.status]}]{_safe(head)}[/]", soft_wrap=True)
    console.print(f"    {_safe(check.cause)}", soft_wrap=True)
    if check.hint:
        console.print(f"    instead: {_safe(check.hint)}", soft_wrap=True)


def _summary(report: CheckReport) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("target", overflow="fold")
    for name in ("verdict", "checks", "failed", "seconds"):
        table.add_column(name, no_wrap=True)
    for target in report.targets:
        counts = Counter(check.status for check in target.checks)
        colour = "green" if target.verdict == PORTABLE else "red"
        table.add_row(
            _safe(target.target),
            f"[{colour}]{target.verdict}[/]",
            str(target.executed),
            str(counts[Status.FAIL]),
            f"{target.seconds:.1f}",
        )
    return table


def _safe(text: str) -> str:
    """Nothing of a target's text is obeyed by the terminal."""
    return escape(showable(text))
