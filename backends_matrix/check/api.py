"""``check(...)``: what the command line does, from Python."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from backends_matrix.check.expected import needless_expectations
from backends_matrix.check.pool import Pool
from backends_matrix.check.result import NOT_PORTABLE, PORTABLE, CheckReport, TargetResult
from backends_matrix.check.session import Progress, check_target, needed_backends
from backends_matrix.check.settings import CheckSettings
from backends_matrix.check.target import Target, find_targets
from backends_matrix.errors import RunError
from backends_matrix.run.cell import BACKENDS
from backends_matrix.run.environment import describe_host, installed


def check(
    targets: str | Path | Any | Sequence[str | Path],
    *,
    settings: CheckSettings | None = None,
    pool: Pool | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> CheckReport:
    """Check whether Keras 3 models mean the same on every backend.

    Args:
        targets: one or several of ``FILE.py``, ``FILE.py:object``, ``package.module:object``,
            ``FILE.keras``, a folder; a function or class that can be imported and builds a model; or a
            live, built Keras model.
        settings: how; instead of it, the fields of :class:`CheckSettings` can be given by name.
        pool: warm processes from an earlier call.
        progress: told what is being done, one line at a time.
        **options: fields of :class:`CheckSettings`.

    Returns:
        A result for each target. Whatever a target does, it is a result and no exception.

    Raises:
        CallError: a target names nothing, or an option is wrong.
        RunError: no backend is installed.
    """
    how = settings or CheckSettings(**options)
    with tempfile.TemporaryDirectory(prefix="portable-check-live-") as folder:
        found = find_targets(_named(targets, Path(folder)))
        if pool is not None:
            return _check_all(found, how, pool, progress or _silent)
        with Pool(how) as own:
            return _check_all(found, how, own, progress or _silent)


def _check_all(
    targets: Iterable[Target], settings: CheckSettings, pool: Pool, progress: Progress
) -> CheckReport:
    here = [name for name in BACKENDS if installed(name)]
    wanted = needed_backends(settings, here)
    if not wanted:
        raise RunError(
            'no backend is installed; install one with pip install "portable-models[jax]"'
        )
    progress(f"importing {', '.join(wanted)}")
    pool.start(wanted)
    if settings.device != "cpu" and not any(name in pool.backends for name in settings.backends):
        # Where nothing computes on the device that was asked for, no target says more than the first.
        raise RunError("; ".join(pool.unavailable.values()))
    results: list[TargetResult] = []
    for target in targets:
        results.append(
            check_target(
                target,
                settings,
                pool,
                lambda phase, name=target.name: progress(f"{name}: {phase}"),  # type: ignore[misc]
            )
        )
    every = [each for result in results for each in result.checks]
    needless = needless_expectations(every, settings.expected, strict=settings.strict)
    if needless and results:
        # They belong to no target; the last one shows them.
        last = replace(results[-1], checks=(*results[-1].checks, *needless))
        if settings.strict and last.verdict == PORTABLE:
            last = replace(last, verdict=NOT_PORTABLE, reason=needless[0].cause)
        results[-1] = last
    environment = {**describe_host(), "versions": pool.versions}
    if settings.device != "cpu":
        environment |= {"device": settings.device, "accelerators": pool.accelerators}
    return CheckReport(tuple(results), environment)


def _silent(line: str) -> None:
    del line


def _named(targets: Any, folder: Path) -> list[str]:
    """Names of targets; a live model is written to a file first."""
    if isinstance(targets, str | Path):
        return [str(targets)]
    if isinstance(targets, list | tuple):
        return [name for each in targets for name in _named(each, folder)]
    if callable(targets) and hasattr(targets, "__qualname__"):
        module = __import__("sys").modules.get(targets.__module__)
        file = getattr(module, "__file__", None)
        if file and "<locals>" not in targets.__qualname__:
            return [f"{file}:{targets.__qualname__}"]
        raise TypeError(
            f"{targets.__qualname__} cannot be imported by another process; define it at the top of a module"
        )
    from portable_models.files import save

    path = folder / f"{getattr(targets, 'name', 'model')}.keras"
    save(targets, path)
    return [str(path)]
