"""A whole run of the matrix: describe, plan, run, look closer where a difference is found."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from backends_matrix.judge.cells import judge_cells
from backends_matrix.judge.comparison import Agreement
from backends_matrix.run.cards import Gates
from backends_matrix.run.cell import Cell
from backends_matrix.run.cell_runs import run_backend, run_cells
from backends_matrix.run.claims import check_claims
from backends_matrix.run.descriptions import describe_experiments
from backends_matrix.run.environment import installed
from backends_matrix.run.extra_replicas import find_doubtful_variants, plan_extra_replicas
from backends_matrix.run.identity import Identity
from backends_matrix.run.interruption import run_until_interrupted
from backends_matrix.run.observer import Observer, Silent
from backends_matrix.run.out_folder import open_folder
from backends_matrix.run.plan import plan_cells
from backends_matrix.run.process import WorkerError
from backends_matrix.run.reproducibility import (
    choose_for_repeats,
    find_irreproducible,
    find_suspects,
    find_unrepeatable,
)
from backends_matrix.run.result import CellResult, Status, read_result
from backends_matrix.run.resume import find_finished
from backends_matrix.run.settings import MatrixSettings
from backends_matrix.run.state import RunState
from backends_matrix.run.step_runs import compare_steps
from backends_matrix.run.supervisor import WorkerSettings, WorkerSupervisor
from portable_models.cache import programs_folder


def run_matrix(
    experiments: Sequence[str],
    settings: MatrixSettings,
    observer: Observer | None = None,
    command: Sequence[str] = (),
) -> RunState:
    """Run experiments on several backends and pipelines.

    The calling process never imports keras; each backend runs in a worker of its own. Ctrl-C, SIGTERM
    and SIGHUP end the workers; what has finished is in the state that is returned.

    Args:
        experiments: built-in names or ``package.module:object``.
        settings: what is asked for.
        observer: called for every epoch and cell.
        command: the command line, for the marker in the folder.

    Raises:
        CallError: an unknown experiment or variant, or a folder that cannot be written to.
        RunError: no backend could be started, or another run uses the folder.
    """
    state = RunState()
    observer = observer or Silent()
    started = time.perf_counter()
    with open_folder(settings.out, resume=settings.resume, command=list(command)) as note:
        if note:
            observer.note(note)
            state.notes.append(note)
        names = list(dict.fromkeys(experiments))
        state.interrupted = run_until_interrupted(_run(names, settings, observer, state))
    state.seconds["running"] = time.perf_counter() - started - state.seconds["judging"]
    return state


def find_reference(settings: MatrixSettings) -> str:
    """The first backend that is installed: one that is not must not keep the others from being compared."""
    return next((each for each in settings.backends if installed(each)), settings.backends[0])


@dataclass(frozen=True)
class _Context:
    """Objects that the stages of a run share."""

    settings: MatrixSettings
    observer: Observer
    state: RunState
    workers: WorkerSettings
    supervisors: Mapping[str, WorkerSupervisor]
    gates: Gates

    @property
    def reference(self) -> str:
        return find_reference(self.settings)


async def _run(
    experiments: Sequence[str], settings: MatrixSettings, observer: Observer, state: RunState
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
            placement=settings.placement,
        )
        supervisors = {
            backend: WorkerSupervisor(backend, workers, observer=observer)
            for backend in settings.backends
        }
        for each in supervisors.values():
            await stack.enter_async_context(each)
        gates = Gates(settings.parallel_workers, workers.placement)
        run = _Context(settings, observer, state, workers, supervisors, gates)
        describing, state.descriptions = await describe_experiments(
            experiments, settings, supervisors, observer
        )
        state.cells = plan_cells(state.descriptions, settings, run.reference)
        identities = await _identify(run, describing) if settings.resume else {}
        _keep_finished(run, state.cells, identities)
        for cell in state.cells:
            if fault := state.descriptions[cell.experiment].get("error"):
                state.record(CellResult(cell, Status.FAILED, fault))
        await _run_planned(run)
        await _run_extra_replicas(run, identities)
        await _find_irreproducible(run)
        await supervisors[run.reference].close()
        await _compare_steps(run)


async def _identify(run: _Context, worker: WorkerSupervisor) -> dict[str, dict[str, Identity]]:
    """Let one worker compute the identity of every variant with a finished cell, as it is today."""
    found: dict[str, dict[str, Identity]] = {}
    finished = [each for each in run.state.cells if read_result(each, run.workers.cells).comparable]
    # One command for each variant: a model that crashes when it is built must not cost the others.
    for cell in {(each.experiment, each.variant): each for each in reversed(finished)}.values():
        what = f"comparing {cell.experiment}/{cell.variant} with the earlier run"
        run.observer.waiting(what)
        try:
            answer = await worker.ask({"do": "identify", "cell": cell.to_json()})
            found.setdefault(cell.experiment, {})[cell.variant] = answer["identity"]
        except WorkerError:
            # Its earlier results are not kept then.
            run.observer.note(f"{cell.experiment}/{cell.variant} could not be built to compare it")
        run.observer.waited(what)
    return found


def _keep_finished(
    run: _Context, cells: Sequence[Cell], identities: Mapping[str, Mapping[str, Identity]]
) -> None:
    if not run.settings.resume or not cells:
        return
    found = find_finished(cells, run.workers.cells, identities, run.settings.setup)
    for result in found.kept:
        run.state.record(result)
        run.state.environments[result.cell.backend] = result.environment
    run.observer.note(found.to_text())
    run.state.notes.append(found.to_text())


async def _run_planned(run: _Context) -> None:
    state = run.state

    async def finish_backend(supervisor: WorkerSupervisor) -> None:
        if supervisor.environment:
            state.environments[supervisor.backend] = supervisor.environment
        if supervisor.backend == choose_for_repeats(run.settings.backends, run.reference):
            await _repeat(run, supervisor)
        state.claims += await check_claims(
            supervisor, run.settings, state.descriptions, state.results.values()
        )

    await run_cells(
        [cell for cell in state.cells if cell not in state.results],
        run.supervisors,
        run.workers,
        gates=run.gates,
        observer=run.observer,
        record=state.record,
        finish_backend=finish_backend,
    )


async def _repeat(run: _Context, supervisor: WorkerSupervisor) -> None:
    """Repeat the first steps of every variant that is compared, while this backend's worker is running."""
    planned = Counter(
        (each.experiment, each.variant) for each in run.state.cells if not each.replica
    )
    mine = {
        (each.experiment, each.variant): each
        for each, result in run.state.results.items()
        if result.comparable and each.backend == supervisor.backend and not each.replica
    }
    cells = [cell for place, cell in mine.items() if planned[place] > 1]
    run.state.notes += [
        f"{experiment}/{variant}: its first steps were not repeated, since it did not run on "
        f"{supervisor.backend}, so draws from outside of Keras were not looked for"
        for (experiment, variant), number in planned.items()
        if number > 1 and (experiment, variant) not in mine
    ]
    if cells:
        what = f"repeating the first steps on {supervisor.backend}"
        run.observer.waiting(what)
        found, notes = await find_unrepeatable(cells, supervisor)
        run.state.irreproducible |= found
        run.state.notes += notes
        run.observer.waited(what)


async def _run_extra_replicas(
    run: _Context, identities: Mapping[str, Mapping[str, Identity]]
) -> None:
    """More replicas where a difference was found, as long as they can be had."""
    state, reference = run.state, run.reference
    while added := plan_extra_replicas(
        state.cells, find_doubtful_variants(state.judge(reference)), run.settings, reference
    ):
        state.cells = [*state.cells, *added]
        _keep_finished(run, added, identities)
        missing = [cell for cell in added if cell not in state.results]
        await run_backend(
            run.supervisors[reference], missing, run.workers, run.observer, state.record
        )


async def _find_irreproducible(run: _Context) -> None:
    # Of all comparisons: a model that is built otherwise each time says more than steps that do not repeat.
    suspects = find_suspects(judge_cells(run.state.results.values(), run.reference))
    if suspects:
        what = "building the study twice on one backend"
        run.observer.waiting(what)
        run.state.irreproducible |= await find_irreproducible(
            run.state.cells, suspects, run.supervisors[run.reference]
        )
        run.observer.waited(what)


async def _compare_steps(run: _Context) -> None:
    state = run.state
    chosen = _choose_for_steps(run)
    if not chosen:
        return
    backends = dict.fromkeys(
        result.cell.backend for result in state.results.values() if result.comparable
    )
    started = time.perf_counter()
    run.observer.waiting("comparing single steps in float64")
    state.steps, state.without_steps = await compare_steps(
        chosen,
        {backend: run.supervisors[backend] for backend in backends},
        run.workers,
        run.settings.timeout,
        run.gates,
    )
    run.observer.waited("comparing single steps in float64")
    state.seconds["steps"] = time.perf_counter() - started


def _choose_for_steps(run: _Context) -> list[Cell]:
    """The reference cells whose single steps are looked at."""
    state, reference = run.state, run.reference
    comparisons = state.judge(reference)
    differing = {
        (each.experiment, each.variant) for each in comparisons if each.verdict is Agreement.DIFFERS
    }
    compared = {(each.experiment, each.variant) for each in comparisons}
    wanted = {"never": set(), "doubt": differing, "always": compared}[run.settings.steps]
    return [
        cell
        for cell, result in state.results.items()
        if result.comparable
        and (cell.backend, cell.replica, cell.pipeline) == (reference, 0, run.settings.pipelines[0])
        and (cell.experiment, cell.variant) in wanted - set(state.irreproducible)
    ]
