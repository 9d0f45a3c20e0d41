"""The descriptions of experiments, given by a worker, since only a worker imports keras.

An experiment whose module, ``load`` or claim fails costs itself only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backends_matrix.errors import CallError, RunError
from backends_matrix.run.environment import installed
from backends_matrix.run.observer import Observer
from backends_matrix.run.process import WorkerError, WorkerRefusedError
from backends_matrix.run.settings import MatrixSettings
from backends_matrix.run.supervisor import WorkerSupervisor

Description = dict[str, Any]

_CALL_ERRORS = ("UnknownExperimentError", "UnknownVariantError")
"""Errors of a worker that are mistakes in the call."""


async def describe_experiments(
    experiments: Sequence[str],
    settings: MatrixSettings,
    supervisors: Mapping[str, WorkerSupervisor],
    observer: Observer,
) -> tuple[WorkerSupervisor, dict[str, Description]]:
    """Describe the experiments on the first backend that starts.

    Returns:
        The supervisor of that backend, and experiment as it was asked for -> its description.

    Raises:
        CallError: an experiment is not found.
        RunError: no backend can be started.
    """
    supervisor = await _first_that_starts(settings, supervisors)
    found = {}
    for name in experiments:
        what = f"loading {name}"
        observer.waiting(what)
        found[name] = await _describe(name, settings, supervisor)
        observer.waited(what)
    _check_names(found)
    return supervisor, found


async def _first_that_starts(
    settings: MatrixSettings, supervisors: Mapping[str, WorkerSupervisor]
) -> WorkerSupervisor:
    failures = []
    for backend in sorted(settings.backends, key=lambda name: not installed(name)):
        try:
            await supervisors[backend].worker()
        except WorkerError as error:
            failures.append(f"{backend}: {error}")
        else:
            return supervisors[backend]
    raise RunError("no backend could be started: " + "; ".join(failures))


async def _describe(
    name: str, settings: MatrixSettings, supervisor: WorkerSupervisor
) -> Description:
    command = {
        "do": "describe",
        "experiment": name,
        "data": settings.data,
        "trust": settings.trust,
    }
    try:
        answer = await supervisor.ask(command)
    except WorkerRefusedError as error:
        if error.kind in _CALL_ERRORS:
            raise CallError(str(error)) from None
        return _undescribed(name, f"the experiment cannot be read: {error}")
    except WorkerError as error:
        return _undescribed(name, f"while the experiment was loaded: {error}")
    described: Description = answer["experiment"]
    return described


def _undescribed(name: str, reason: str) -> Description:
    """An experiment of which no more is known than its name."""
    return {
        "name": name,
        "title": "",
        "description": "",
        "variants": [],
        "figures": [],
        "claims": [],
        "error": reason,
    }


def _check_names(found: Mapping[str, Description]) -> None:
    """Two experiments of one name would share the places of a report."""
    by_name: dict[str, str] = {}
    for asked, entry in found.items():
        other = by_name.setdefault(entry["name"], asked)
        if other != asked:
            raise CallError(
                f"{other} and {asked} are both named {entry['name']!r}; run them apart, or rename one"
            )
