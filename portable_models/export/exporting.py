"""From orders to proven artifacts: measure the source, write, run in the target's runtime, compare."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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

    order: Order
    origin: loading.Origin
    reference: Reference
    staged: Path
    measuring: Job | None = None
    converting: Job | None = None
    verifying: Job | None = None
    measured: tuple[Path, Mapping[str, Any]] | None = None


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
        for order in orders:
            origin = loading.origin(order.model, order.imports)
            folder = stack.enter_context(staging.staging(order.out))
            plans.append(_Plan(order, origin, reference_of(order, origin), folder / order.out.name))
        _with_keras(plans, work, progress)
        _without_keras(plans, work, progress)
        return [_finish(plan) for plan in plans]


def _with_keras(plans: Sequence[_Plan], work: Path, progress: Progress) -> None:
    """Measure the source models and write the artifacts, one process for each backend."""
    jobs: dict[str, list[Job]] = {}
    measuring: dict[tuple[object, ...], Job] = {}
    lines: dict[Path, str] = {}
    for number, plan in enumerate(plans):
        order, backend = plan.order, plan.reference.backend
        common = {"model": str(order.model), "imports": order.imports, "batch": order.batch}
        plan.measured = order.measured
        if order.verify and order.measured is None:
            key = (order.model, order.imports, order.batch, backend)
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
            "artifact": str(plan.staged),
        }
        plan.converting = Job(request, work / f"convert-{number}.json")
        jobs.setdefault(order.route.hub, []).append(plan.converting)
        lines[plan.converting.result] = f"wrote {order.out.name} by way of {order.route.hub}"
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
    for number, plan in enumerate(plans):
        written = _job(plan.converting).answer()
        if not plan.order.verify or plan.measured is None or written["status"] != "done":
            continue
        request = {
            "target": plan.order.target,
            "artifact": str(plan.staged),
            "signature": written["signature"],
            "reference": str(plan.measured[0]),
            "out": str(work / f"verify-{number}.npz"),
        }
        plan.verifying = Job(request, work / f"verify-{number}.json")
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


def _finish(plan: _Plan) -> ExportResult:
    """The result; publishes the artifact where it may stand."""
    result = judge(
        plan.order,
        plan.reference,
        measured=plan.measured,
        measuring=_answer(plan.measuring),
        writing=_job(plan.converting).answer(),
        running=_answer(plan.verifying),
        ran=Path(plan.verifying.request["out"]) if plan.verifying else None,
        staged=plan.staged,
    )
    if result.status in (Status.VERIFIED, Status.UNVERIFIED):
        facts = {**plan.origin.recipe, **plan.order.facts}
        card.write(result, plan.order.model.name, facts, staging.cards(plan.staged))
        staging.publish(plan.staged, plan.order.out)
    return result


def _answer(job: Job | None) -> dict[str, Any] | None:
    return job.answer() if job is not None and job.result.exists() else None


def _job(job: Job | None) -> Job:
    assert job is not None, "every plan is converted"
    return job


def _said(line: str, job: Job) -> str:
    answer = json.loads(job.result.read_text(encoding="utf-8"))
    seconds = f" ({answer['seconds']:.1f} s)" if "seconds" in answer else ""
    return line + seconds if answer["status"] == "done" else f"{line}: {answer['status']}"
