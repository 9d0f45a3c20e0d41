"""From orders to proven artifacts: measure the source, write, run in the target's runtime, compare."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from portable_models._cpu_only import CPU_ONLY
from portable_models.export import card, loading, staging
from portable_models.export.children import Job, run_jobs
from portable_models.export.judging import judge
from portable_models.export.orders import Order, Reference, check, reference_of
from portable_models.export.result import ExportResult, Status

Progress = Callable[[str], None]

_WORKER = "portable_models.export.worker"
_VERIFIER = "portable_models.export.verifier"


@dataclass
class _Plan:
    """An order on its way: its jobs, and where its artifact grows."""

    number: int
    order: Order
    origin: loading.Origin
    reference: Reference
    staged: Path
    way: int = 0
    tried: tuple[str, ...] = ()
    first: ExportResult | None = None
    """What came of the first way, or of the first that was different; it is told where no way stands."""
    measuring: Job | None = None
    converting: Job | None = None
    verifying: Job | None = None
    measured: tuple[Path, Mapping[str, Any]] | None = None

    @property
    def name(self) -> str:
        """What its files are called: no two ways share an answer."""
        return f"{self.number}-{self.way}"

    def next_way(self, result: ExportResult) -> _Plan:
        """The same order by its next way; what was measured of the source model stays."""
        hub = self.order.route.ways[self.way].hub
        staged = self.staged.parent / f"way-{self.way + 1}" / self.order.out.name
        staged.parent.mkdir()
        return replace(
            self,
            way=self.way + 1,
            staged=staged,
            tried=(*self.tried, f"the way by Keras on {hub} was left: {result.reason}"),
            first=self._worse(result),
            converting=None,
            verifying=None,
        )

    def _worse(self, result: ExportResult) -> ExportResult:
        """The first result, unless a later one is different: numbers that are off say more than a refusal."""
        if self.first is None:
            return result
        wrong = result.status is Status.DIFFERENT and self.first.status is not Status.DIFFERENT
        return result if wrong else self.first

    def told(self, result: ExportResult) -> ExportResult:
        """What is said of the order after its last way."""
        if result.status in (Status.VERIFIED, Status.UNVERIFIED) or self.first is None:
            return result
        chosen = self._worse(result)
        notes = (*chosen.notes, *(each for each in result.notes if each not in chosen.notes))
        return replace(chosen, notes=notes)


def export_many(
    orders: Sequence[Order], *, progress: Progress = lambda line: None
) -> list[ExportResult]:
    """Carry out many orders with few processes: one for each backend, then one for each target.

    Every order ends in one result, in order; one that fails does not stop the others. Nothing is left at
    an order's path unless its artifact stands, verified where that was asked for.

    Args:
        orders: what to export.
        progress: called with one line for each stage.

    Raises:
        ExportError: an order is wrong; nothing was started.
        MissingPackageError: a package is not installed; nothing was started.
    """
    for order in orders:
        check(order)
    with contextlib.ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portable-export-")))
        plans = []
        for number, order in enumerate(orders):
            origin = loading.origin(order.model, order.imports)
            folder = stack.enter_context(staging.staging(order.out))
            plans.append(
                _Plan(number, order, origin, reference_of(order, origin), folder / order.out.name)
            )
        results: dict[int, ExportResult] = {}
        waiting = dict(enumerate(plans))
        while waiting:
            _with_keras(list(waiting.values()), work, progress)
            _without_keras(list(waiting.values()), work, progress)
            again = {}
            for number, plan in waiting.items():
                result = _judged(plan)
                if _is_worth_another_way(plan, result):
                    again[number] = plan.next_way(result)
                    progress(f"{order_name(plan.order)}: {result.status}; trying another way")
                else:
                    results[number] = _finish(plan, result)
            waiting = again
        return [results[number] for number in range(len(plans))]


def order_name(order: Order) -> str:
    """How a line of progress names an order."""
    return f"{order.model.name} to {order.target}"


def _is_worth_another_way(plan: _Plan, result: ExportResult) -> bool:
    """Whether it is the way that failed, and there is another."""
    if plan.way + 1 >= len(plan.order.route.ways):
        return False
    if plan.measured is None and plan.order.verify:
        return False  # the source model itself does not run
    random = plan.measured is not None and plan.measured[1].get("random")
    if random and not plan.order.allow_random:
        return False
    return result.status in (Status.DIFFERENT, Status.FAILED, Status.REFUSED)


def _with_keras(plans: Sequence[_Plan], work: Path, progress: Progress) -> None:
    """Measure the source models and write the artifacts, one process for each backend."""
    jobs: dict[str, list[Job]] = {}
    measuring: dict[tuple[object, ...], Job] = {}
    lines: dict[Path, str] = {}
    for plan in plans:
        order, backend = plan.order, plan.reference.backend
        common: dict[str, Any] = {
            "model": str(order.model),
            "imports": order.imports,
            "batch": order.batch,
            "sample": str(order.sample) if order.sample else None,
            "sizes": dict(order.sizes),
        }
        plan.measured = plan.measured or order.measured
        if order.verify and plan.measured is None and plan.measuring is None:
            key = (
                order.model,
                order.imports,
                order.batch,
                backend,
                order.sample,
                *order.sizes.items(),
            )
            if key not in measuring:
                name = f"reference-{len(measuring)}"
                request = {
                    **common,
                    "action": "reference",
                    "out": str(work / f"{name}.npz"),
                    # Gradients are cheap beside the start of a process: one measurement serves all.
                    "gradients": any(p.order.route.gradients for p in plans),
                }
                measuring[key] = Job(request, work / f"{name}.json")
                jobs.setdefault(backend, []).append(measuring[key])
                lines[measuring[key].result] = f"measured {order.model.name} on {backend}"
            plan.measuring = measuring[key]
        request = {
            **common,
            "action": "convert",
            "target": order.target,
            "way": plan.way,
            "artifact": str(plan.staged),
        }
        hub = order.route.ways[plan.way].hub
        plan.converting = Job(request, work / f"convert-{plan.name}.json")
        jobs.setdefault(hub, []).append(plan.converting)
        lines[plan.converting.result] = f"wrote {order.out.name} by way of {hub}"
    for backend, chosen in jobs.items():
        progress(f"starting Keras on {backend}")
        run_jobs(
            _WORKER,
            chosen,
            work,
            worker_environment(backend, work),
            on_done=lambda job: progress(_said(lines[job.result], job)),
        )
    for plan in plans:
        if plan.measuring is not None and plan.measuring.answer()["status"] == "done":
            plan.measured = (Path(plan.measuring.request["out"]), plan.measuring.answer())


def worker_environment(backend: str, work: Path) -> dict[str, str]:
    """What a child with Keras is told before it starts.

    It computes on the CPU: this process may fill a card, and an artifact is to hold tensors of the CPU.
    """
    return CPU_ONLY | {
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # A model is run at three batches and moved twice; what was compiled for one serves the others.
        "JAX_COMPILATION_CACHE_DIR": str(work / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def _without_keras(plans: Sequence[_Plan], work: Path, progress: Progress) -> None:
    """Run the artifacts in their own runtime, one process for each target."""
    jobs: dict[str, list[Job]] = {}
    for plan in plans:
        written = _job(plan.converting).answer()
        if not plan.order.verify or plan.measured is None or written["status"] != "done":
            continue
        request = {
            "target": plan.order.target,
            "artifact": str(plan.staged),
            "signature": written["signature"],
            "reference": str(plan.measured[0]),
            "out": str(work / f"verify-{plan.name}.npz"),
        }
        plan.verifying = Job(request, work / f"verify-{plan.name}.json")
        jobs.setdefault(plan.order.target, []).append(plan.verifying)
    for target, chosen in jobs.items():
        progress(f"starting the runtime of {target}, without Keras")
        run_jobs(
            _VERIFIER,
            chosen,
            work,
            CPU_ONLY | {"TF_CPP_MIN_LOG_LEVEL": "3"},
            on_done=lambda job: progress(_said(f"ran {Path(job.request['artifact']).name}", job)),
        )


def _judged(plan: _Plan) -> ExportResult:
    """What came of the way that was taken."""
    result = judge(
        plan.order,
        plan.order.route.ways[plan.way],
        plan.reference,
        measured=plan.measured,
        measuring=_answer(plan.measuring),
        writing=_job(plan.converting).answer(),
        running=_answer(plan.verifying),
        ran=Path(plan.verifying.request["out"]) if plan.verifying else None,
        staged=plan.staged,
    )
    return replace(result, notes=(*plan.tried, *result.notes))


def _finish(plan: _Plan, result: ExportResult) -> ExportResult:
    """Publish the artifact where it may stand."""
    if result.status in (Status.VERIFIED, Status.UNVERIFIED):
        facts = {**plan.origin.recipe, **plan.order.facts}
        card.write(result, plan.order.model.name, facts, staging.cards(plan.staged))
        staging.publish(plan.staged, plan.order.out)
    return plan.told(result)


def _answer(job: Job | None) -> dict[str, Any] | None:
    return job.answer() if job is not None and job.result.exists() else None


def _job(job: Job | None) -> Job:
    assert job is not None, "every plan is converted"
    return job


def _said(line: str, job: Job) -> str:
    answer = json.loads(job.result.read_text(encoding="utf-8"))
    seconds = f" ({answer['seconds']:.1f} s)" if "seconds" in answer else ""
    return line + seconds if answer["status"] == "done" else f"{line}: {answer['status']}"
