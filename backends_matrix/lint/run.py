"""Lints files and folders: in parallel, with the cache, and with what comments and settings silence."""

from __future__ import annotations

import multiprocessing
import multiprocessing.context
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from backends_matrix.lint.cache import Cache
from backends_matrix.lint.comments import complaints, read_ignores, silence
from backends_matrix.lint.engine import FileResult, Linter
from backends_matrix.lint.finding import Finding
from backends_matrix.lint.modules import SourceError
from backends_matrix.lint.project import Project, read_text
from backends_matrix.lint.settings import Settings

SKIPPED = frozenset(
    {"__pycache__", "node_modules", "build", "dist", "site-packages", "venv", ".venv"}
)
FEW = 24
"""Files for which starting processes costs more than it saves."""


@dataclass(frozen=True)
class RunResult:
    """What a run found.

    Args:
        findings: by place, with the paths as they were given.
        errors: path, line and reason of each file that could not be read.
        files: how many files were linted.
        cached: how many of these came from the cache.
        silenced: how many findings comments silenced.
    """

    findings: tuple[Finding, ...]
    errors: tuple[tuple[str, int, str], ...]
    files: int
    cached: int
    silenced: int

    @property
    def statistics(self) -> list[tuple[str, int]]:
        """Number of findings for each rule, the most frequent first."""
        counted = Counter(each.rule for each in self.findings)
        return sorted(counted.items(), key=lambda each: (-each[1], each[0]))


def python_files(paths: Iterable[Path], settings: Settings) -> Iterator[Path]:
    """The Python files among paths and in folders; what is named itself is never left out as hidden."""
    seen: set[Path] = set()
    for path in paths:
        found: Iterable[Path] = [path]
        if path.is_dir():
            found = sorted(_walk(path))
        for each in found:
            if each not in seen and not settings.excludes(each):
                seen.add(each)
                yield each


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in SKIPPED and not name.startswith(".")]
        for name in files:
            if name.endswith(".py"):
                yield Path(root, name)


def run(
    paths: Sequence[Path],
    settings: Settings,
    *,
    jobs: int | None = None,
    cache: Path | None = None,
) -> RunResult:
    """Lint files and folders.

    Args:
        paths: files and folders that exist.
        settings: which rules are applied where.
        jobs: processes; by default one for each core.
        cache: folder of kept results; None keeps none.
    """
    files = list(python_files(paths, settings))
    project = Project()
    store = Cache(cache, project)
    results: dict[Path, FileResult] = {}
    for path in files:
        kept = store.read(path)
        if kept is not None:
            results[path] = kept
    cached = len(results)
    missing = [path for path in files if path not in results]
    for result in _lint_all(missing, jobs, project):
        results[Path(result.path)] = result
        store.write(result)
    if missing:
        store.trim()
    return _gather(files, results, settings, cached)


def _lint_all(files: Sequence[Path], jobs: int | None, project: Project) -> Iterator[FileResult]:
    workers = (
        jobs or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else jobs or 1
    )
    if workers < 2 or len(files) < FEW:
        yield from _lint_chunk(files, project)
        return
    # Files of one folder read the same modules; a few chunks for each process level out what they cost.
    size = max(4, len(files) // (workers * 4) + 1)
    chunks = [files[start : start + size] for start in range(0, len(files), size)]
    with ProcessPoolExecutor(workers, mp_context=_context()) as pool:
        for results in pool.map(_lint_chunk, chunks):
            yield from results


def _context() -> multiprocessing.context.BaseContext:
    """How processes are started: by a fork, which is quick, unless a framework's threads run in this one."""
    loaded = any(name in sys.modules for name in ("jax", "tensorflow", "torch"))
    return multiprocessing.get_context("spawn" if loaded else None)


_LINTERS: dict[str, Linter] = {}


def _lint_chunk(files: Sequence[Path], project: Project | None = None) -> list[FileResult]:
    # One linter for each process: what it has read for one chunk serves the next.
    linter = Linter(project) if project is not None else _LINTERS.setdefault("process", Linter())
    return [linter.lint(path) for path in files]


def _gather(
    files: Sequence[Path], results: dict[Path, FileResult], settings: Settings, cached: int
) -> RunResult:
    shown = {str(path.absolute()): path for path in files}
    by_path: dict[Path, dict[tuple[str, int, int, str], Finding]] = {path: {} for path in files}
    errors = []
    for path in files:
        result = results[path]
        if result.error is not None:
            errors.append((str(path), *result.error))
        for finding in result.findings:
            where = shown.get(finding.path)
            if where is not None and settings.applies(finding.rule, where):
                by_path[where].setdefault(finding.key, replace(finding, path=str(where)))
    findings: list[Finding] = []
    silenced = 0
    for path, found in by_path.items():
        ordered = sorted(found.values(), key=lambda each: each.key)
        kept, count = _silence(path, ordered, settings)
        silenced += count
        findings += kept
    return RunResult(tuple(findings), tuple(errors), len(files), cached, silenced)


def lint_again(path: Path, text: str, settings: Settings, linter: Linter) -> list[Finding]:
    """The findings of a file with another text, which settings and comments let stand."""
    here = str(path.absolute())
    found = [
        replace(each, path=str(path))
        for each in linter.lint(path, text).findings
        if each.path == here and settings.applies(each.rule, path)
    ]
    return silence(found, read_ignores(text))


def _silence(path: Path, found: list[Finding], settings: Settings) -> tuple[list[Finding], int]:
    try:
        ignores = read_ignores(read_text(path))
    except (SourceError, SyntaxError):
        return found, 0
    kept = silence(found, ignores)
    applied = frozenset(rule for rule in settings.select if settings.applies(rule, path))
    wrong = complaints(str(path), ignores, applied)
    return sorted([*kept, *wrong], key=lambda each: each.key), len(found) - len(kept)
