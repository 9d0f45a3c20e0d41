"""The published claims of an experiment, checked on the results of one backend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from backends_matrix.run.process import WorkerError
from backends_matrix.run.result import CellResult
from backends_matrix.run.settings import MatrixSettings
from backends_matrix.run.supervisor import WorkerSupervisor

Finding = dict[str, Any]


async def check_claims(
    supervisor: WorkerSupervisor,
    settings: MatrixSettings,
    descriptions: Mapping[str, Mapping[str, Any]],
    results: Iterable[CellResult],
) -> list[Finding]:
    """Check the claims of every experiment; one that raises, hangs or gives nonsense costs itself only."""
    mine = [
        each
        for each in results
        if each.ok
        and (each.cell.backend, each.cell.replica) == (supervisor.backend, 0)
        and each.cell.pipeline == settings.pipelines[0]
    ]
    found = []
    for experiment, description in descriptions.items():
        outcomes = {
            each.cell.variant: each.outcome for each in mine if each.cell.experiment == experiment
        }
        for number, claim in enumerate(description["claims"]):
            finding = await _check(supervisor, settings, experiment, number, outcomes)
            place = {"experiment": description["name"], "backend": supervisor.backend}
            found.append({**place, **claim, **finding})
    return found


async def _check(
    supervisor: WorkerSupervisor,
    settings: MatrixSettings,
    experiment: str,
    number: int,
    outcomes: Mapping[str, Any],
) -> Finding:
    if not outcomes:
        return {"holds": None, "measured": "", "reason": "no variant has a result"}
    command = {"do": "claim", "experiment": experiment, "number": number, "outcomes": outcomes}
    try:
        answer = await supervisor.ask(command)
    except WorkerError as error:
        log = settings.out / "logs" / f"{supervisor.name}.log"
        return {
            "holds": None,
            "measured": "",
            "reason": f"it could not be checked: {error}; log: {log}",
        }
    finding: Finding = answer["finding"]
    return finding
