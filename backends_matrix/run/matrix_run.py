"""Run the matrix: plan, run, judge, and put together the document that every report is made from."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from backends_matrix.errors import CallError, RunError
from backends_matrix.judge.cells import judge_cells
from backends_matrix.judge.comparison import Agreement, Comparison
from backends_matrix.report.assembly import Run, build_document
from backends_matrix.run.cell import Cell
from backends_matrix.run.environment import installed
from backends_matrix.run.extra_replicas import find_doubtful_variants, plan_extra_replicas
from backends_matrix.run.observer import Observer, Silent
from backends_matrix.run.out_folder import finished, prepare
from backends_matrix.run.plan import plan_cells
from backends_matrix.run.process import WorkerError, WorkerRefusedError
from backends_matrix.run.result import CellResult, Status
from backends_matrix.run.settings import MatrixSettings
from backends_matrix.run.step_runs import compare_steps
from backends_matrix.run.supervisor import WorkerSettings, WorkerSupervisor, run_backend, run_cells
from portable_models.cache import programs_folder

_CALL_ERRORS = ("UnknownExperimentError", "UnknownVariantError")
"""Errors of a worker that are mistakes in the call."""


@dataclass
class _State:
    """What is known so far; kept up to date so that an interrupted run can still be reported."""

    descriptions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cells: Sequence[Cell] = ()
    results: dict[Cell, CellResult] = field(default_factory=dict)
    environments: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    claims: list[Mapping[str, Any]] = field(default_factory=list)
    steps: list[Comparison] = field(default_factory=list)
    without_steps: dict[Cell, str] = field(default_factory=dict)
    interrupted: bool = False
    seconds: dict[str, float] = field(default_factory=lambda: {"steps": 0.0, "judging": 0.0})

    def judge(self, reference: str) -> list[Comparison]:
        """Levels 0 and 2 of what has finished so far."""
        started = time.perf_counter()
        found = judge_cells(self.results.values(), reference)
        self.seconds["judging"] += time.perf_counter() - started
        return found


def matrix(
    experiments: Sequence[str],
    settings: MatrixSettings,
    *,
    observer: Observer | None = None,
    command: Sequence[str] = (),
) -> dict[str, Any]:
    """Run experiments on several backends and pipelines and judge whether they agree.

    The calling process never imports keras; each backend runs in a worker of its own. Ctrl-C ends the
    workers and reports what has finished.

    Args:
        experiments: built-in names or ``package.module:object``.
        settings: what is asked for.
        observer: is told of every epoch and cell.
        command: the command line, for the report.

    Returns:
        The report document; see ``report.schema.json``.

    Raises:
        CallError: an unknown experiment or variant, or a folder that cannot be written to.
        RunError: no backend could be started.
    """
    prepare(settings.out, resume=settings.resume, command=list(command))
    state = _State()
    started = time.perf_counter()
    try:
        asyncio.run(_run(list(dict.fromkeys(experiments)), settings, observer or Silent(), state))
    except KeyboardInterrupt:
        state.interrupted = True
    state.seconds["running"] = time.perf_counter() - started - state.seconds["judging"]
    missing = Status.INTERRUPTED if state.interrupted else Status.INVALID
    reason = "interrupted before it finished" if state.interrupted else "the worker wrote no result"
    results = [state.results.get(cell) or CellResult(cell, missing, reason) for cell in state.cells]
    run = Run(
        settings=settings,
        reference=_reference(settings),
        descriptions=state.descriptions,
        results=results,
        environments=state.environments,
        claims=state.claims,
        steps=state.steps,
        without_steps=state.without_steps,
        command=command,
        interrupted=state.interrupted,
        seconds=state.seconds,
    )
    return build_document(run)


def _reference(settings: MatrixSettings) -> str:
    """The first backend that is installed: one that is not must not keep the others from being compared."""
    return next((each for each in settings.backends if installed(each)), settings.backends[0])


async def _run(
    experiments: Sequence[str], settings: MatrixSettings, observer: Observer, state: _State
) -> None:
    async with AsyncExitStack() as stack:
        workers = WorkerSettings(
            settings.out,
            device=settings.device,
            threads=settings.threads,
            silence=settings.timeout,
            cache=programs_folder()
            or Path(stack.enter_context(TemporaryDirectory(prefix="portable-compiled-"))),
            setup=settings.setup,
            checkpoint=settings.checkpoint,
        )
        supervisors = {backend: WorkerSupervisor(backend, workers) for backend in settings.backends}
        for supervisor in supervisors.values():
            await stack.enter_async_context(supervisor)
        state.descriptions = await _describe(experiments, settings, supervisors)
        state.cells = plan_cells(state.descriptions, settings, _reference(settings))
        if settings.resume:
            for result in finished(state.cells, workers.cells):
                state.results[result.cell] = result
                state.environments[result.cell.backend] = result.environment
        for cell in state.cells:
            if fault := state.descriptions[cell.experiment].get("error"):
                state.results[cell] = CellResult(cell, Status.FAILED, fault)

        async def last_words(supervisor: WorkerSupervisor) -> None:
            if supervisor.environment:
                state.environments[supervisor.backend] = supervisor.environment
            state.claims += await _claims(supervisor, settings, state)

        def record(result: CellResult) -> None:
            state.results[result.cell] = result

        await run_cells(
            [cell for cell in state.cells if cell not in state.results],
            supervisors,
            workers,
            jobs=settings.parallel_workers,
            observer=observer,
            record=record,
            last_words=last_words,
        )
        reference = supervisors[_reference(settings)]
        while added := _second_look(state, settings):
            state.cells = [*state.cells, *added]
            if settings.resume:
                state.results |= {each.cell: each for each in finished(added, workers.cells)}
            missing = [cell for cell in added if cell not in state.results]
            await run_backend(reference, missing, workers, observer, record)
        await reference.close()
        if chosen := _for_steps(state, settings):
            taking_part = {
                backend: supervisors[backend]
                for backend in dict.fromkeys(
                    result.cell.backend for result in state.results.values() if result.ok
                )
            }
            started = time.perf_counter()
            state.steps, state.without_steps = await compare_steps(
                chosen, taking_part, workers, settings.timeout
            )
            state.seconds["steps"] = time.perf_counter() - started


def _for_steps(state: _State, settings: MatrixSettings) -> list[Cell]:
    """The reference cells whose single steps are looked at."""
    reference = _reference(settings)
    comparisons = state.judge(reference)
    differing = {
        (each.experiment, each.variant) for each in comparisons if each.verdict is Agreement.DIFFERS
    }
    compared = {(each.experiment, each.variant) for each in comparisons}
    wanted = {"never": set(), "doubt": differing, "always": compared}[settings.steps]
    return [
        cell
        for cell, result in state.results.items()
        if result.ok
        and (cell.backend, cell.replica, cell.pipeline) == (reference, 0, settings.pipelines[0])
        and (cell.experiment, cell.variant) in wanted
    ]


def _second_look(state: _State, settings: MatrixSettings) -> list[Cell]:
    """More replicas where a difference was found, as long as they can be had."""
    reference = _reference(settings)
    found = find_doubtful_variants(state.judge(reference))
    return plan_extra_replicas(state.cells, found, settings, reference)


async def _describe(
    experiments: Sequence[str],
    settings: MatrixSettings,
    supervisors: Mapping[str, WorkerSupervisor],
) -> Mapping[str, Mapping[str, Any]]:
    """What the experiments hold, asked of the first backend that starts."""
    command = {
        "do": "describe",
        "experiments": list(experiments),
        "data": settings.data,
        "trust": settings.trust,
    }
    failures = []
    for backend in sorted(settings.backends, key=lambda name: not installed(name)):
        try:
            answer = await supervisors[backend].ask(command)
        except WorkerRefusedError as error:
            if error.kind in _CALL_ERRORS:
                raise CallError(str(error)) from None
            raise RunError(f"the experiments cannot be read: {error}") from None
        except WorkerError as error:
            failures.append(f"{backend}: {error}")
        else:
            described: Mapping[str, Mapping[str, Any]] = answer["experiments"]
            return described
    raise RunError("no backend could be started: " + "; ".join(failures))


async def _claims(
    supervisor: WorkerSupervisor, settings: MatrixSettings, state: _State
) -> list[Mapping[str, Any]]:
    """The published claims of each experiment, checked on one backend's results."""
    found: list[Mapping[str, Any]] = []
    for experiment, description in state.descriptions.items():
        outcomes = {
            cell.variant: result.outcome
            for cell, result in state.results.items()
            if result.ok
            and (cell.experiment, cell.backend, cell.replica) == (experiment, supervisor.backend, 0)
            and cell.pipeline == settings.pipelines[0]
        }
        try:
            if not outcomes:
                raise WorkerError("no variant has a result")
            answer = await supervisor.ask(
                {"do": "claims", "experiment": experiment, "outcomes": outcomes}
            )
            findings = answer["findings"]
        except WorkerError as error:
            findings = [
                {**claim, "holds": None, "measured": "", "reason": str(error)}
                for claim in description["claims"]
            ]
        found += [
            {"experiment": description["name"], "backend": supervisor.backend, **each}
            for each in findings
        ]
    return found
