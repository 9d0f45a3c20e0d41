"""``portable lint``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from backends_matrix.errors import CallError
from backends_matrix.lint.cache import Cache
from backends_matrix.lint.engine import Linter
from backends_matrix.lint.finding import Finding
from backends_matrix.lint.fixing import Fixed, apply_fixes, read_exactly, unified_diff
from backends_matrix.lint.formats import machine, sarif, text
from backends_matrix.lint.rule import RULES
from backends_matrix.lint.run import RunResult, lint_again, python_files, run
from backends_matrix.lint.settings import Settings, SettingsError, load

FORMATS: Mapping[str, Callable[[RunResult], str]] = {
    "text": text.render,
    "json": machine.render_json,
    "github": machine.render_github,
    "sarif": sarif.render,
}
ROUNDS = 10
"""How often files are linted again after fixes; a fix may make place for the next one."""


def _names(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> list[str] | None:
    found = [name.strip() for each in value for name in each.split(",") if name.strip()]
    return found or None


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS]),
    default="text",
    show_default=True,
    help="github writes annotations for GitHub Actions, sarif SARIF 2.1.0.",
)
@click.option(
    "--select",
    multiple=True,
    callback=_names,
    metavar="RULES",
    help="Comma-separated: codes (PK101), their beginnings (PK1), names, groups (keras2) or ALL.",
)
@click.option(
    "--ignore", multiple=True, callback=_names, metavar="RULES", help="Leave these rules out."
)
@click.option("--fix", is_flag=True, help="Mend what has one right form, and report the rest.")
@click.option(
    "--unsafe-fixes", is_flag=True, help="With --fix or --diff: also fixes that may change meaning."
)
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option(
    "--statistics", is_flag=True, help="Count the findings of each rule instead of listing them."
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=None,
    help="Processes. [default: one for each core]",
)
@click.option("--no-cache", is_flag=True, help="Read every file anew.")
@click.option("--rules", "show_rules", is_flag=True, help="List the rules and exit.")
def lint(
    paths: Sequence[Path],
    form: str,
    select: list[str] | None,
    ignore: list[str] | None,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    statistics: bool,
    jobs: int | None,
    no_cache: bool,
    show_rules: bool,
) -> None:
    """Find code in PATH that means different things on JAX, TensorFlow and PyTorch, by reading it.

    Nothing of the code is imported or run, and no framework is needed. A finding is silenced by a comment in
    its line, # portable: ignore[PK101] followed by the reason. Settings stand in pyproject.toml under
    [tool.portable.lint].

    Exit codes: 0 nothing is found; 1 something is found; 2 the call is wrong; 3 a file could not be read.
    """
    if show_rules:
        for code, rule in sorted(RULES.items()):
            click.echo(f"{code}  {rule.group:14}{rule.name}: {rule.summary}")
        return
    settings = _settings(paths, select, ignore or ())
    if fix and diff:
        raise CallError("--fix changes files and --diff shows what would change: give one of them")
    if unsafe_fixes and not (fix or diff):
        raise CallError("--unsafe-fixes changes nothing by itself: add --fix or --diff")
    cache = None if no_cache else Cache.default_folder()
    result = run(paths, settings, jobs=jobs, cache=cache)
    if not result.files:
        # Hooks name the files that have changed, and settings may leave out all of these.
        left_out = sum(1 for _ in python_files(paths, replace(settings, exclude=())))
        if not left_out:
            raise CallError(f"no Python file in {', '.join(map(str, paths))}: nothing was linted")
        click.echo(f"all files ({left_out}) are left out by exclude in pyproject.toml", err=True)
    if diff:
        _show_diff(result, settings, unsafe_fixes)
    else:
        if fix:
            result = _mend(result, paths, settings, jobs, cache, unsafe_fixes)
        click.echo(text.statistics(result) if statistics else FORMATS[form](result))
    if form != "github":
        for path, line, reason in result.errors:
            click.echo(f"portable: error: {path}:{line}: {reason}", err=True)
    sys.exit(3 if result.errors else 1 if result.findings else 0)


def _settings(paths: Sequence[Path], select: list[str] | None, ignore: Sequence[str]) -> Settings:
    if not paths:
        raise CallError("lint takes at least one file or folder, such as: portable lint src")
    for path in paths:
        if not path.exists():
            raise CallError(f"{path} does not exist")
        if not path.is_dir() and path.suffix != ".py":
            raise CallError(f"{path} is not a Python file (.py) or a folder")
    try:
        return load(paths[0] if paths[0].is_dir() else paths[0].parent, select, ignore)
    except SettingsError as error:
        raise CallError(str(error)) from None


def _by_path(result: RunResult) -> dict[str, RunResult]:
    found: dict[str, RunResult] = {}
    for each in result.findings:
        before = found.get(each.path)
        held = before.findings if before else ()
        found[each.path] = replace(result, findings=(*held, each))
    return found


def _show_diff(result: RunResult, settings: Settings, unsafe: bool) -> None:
    linter = Linter()
    for path, part in _by_path(result).items():
        before, _, _ = read_exactly(Path(path).read_bytes())
        after = _mended(Path(path), before, part.findings, settings, linter, unsafe).text
        if after != before:
            click.echo(unified_diff(path, before, after), nl=False)


def _mended(
    path: Path,
    text: str,
    findings: Sequence[Finding],
    settings: Settings,
    linter: Linter,
    unsafe: bool,
) -> Fixed:
    """Apply fixes until none is left."""
    count = 0
    for _ in range(ROUNDS):
        fixed = apply_fixes(text, findings, unsafe=unsafe)
        if fixed.text == text:
            break
        text, count = fixed.text, count + fixed.count
        findings = lint_again(path, text, settings, linter)
    return Fixed(text, count)


def _mend(
    result: RunResult,
    paths: Sequence[Path],
    settings: Settings,
    jobs: int | None,
    cache: Path | None,
    unsafe: bool,
) -> RunResult:
    """Apply fixes to the files, and lint again."""
    linter = Linter()
    mended = 0
    for path, part in _by_path(result).items():
        before, encoding, ending = read_exactly(Path(path).read_bytes())
        fixed = _mended(Path(path), before, part.findings, settings, linter, unsafe)
        if fixed.text == before:
            continue
        try:
            Path(path).write_bytes(fixed.text.replace("\n", ending).encode(encoding))
        except OSError as error:
            raise CallError(f"{path} cannot be written: {error.strerror}") from None
        mended += fixed.count
    click.echo(f"{mended} finding{'s' * (mended != 1)} mended", err=True)
    return run(paths, settings, jobs=jobs, cache=cache) if mended else result
