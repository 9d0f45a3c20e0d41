"""The engine that runs a training: the one asked for, or ``Model.fit`` where that cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from portable_models.training.background import BackgroundWork
from portable_models.training.engines.compiled_engine import CompiledEngine
from portable_models.training.engines.engine import Engine, Job
from portable_models.training.engines.keras_engine import KerasEngine


@dataclass(frozen=True)
class Chosen:
    """An engine that is ready to run some jobs.

    Args:
        engine: the engine.
        reason: why it is not the one that was asked for; empty where it is.
        quiet: whether the reason is only that compiling would not pay.
        delivered: what ``Engine.read`` gives, or nothing where it was not asked for.
    """

    engine: Engine
    reason: str
    quiet: bool
    delivered: Sequence[Callable[[], list[str]]]


def choose(name: str, jobs: Sequence[Job], work: BackgroundWork | None = None) -> Chosen:
    """Choose the engine that runs the jobs, and compile.

    Args:
        name: ``"compiled"`` or ``"keras"``.
        jobs: jobs that are alike.
        work: digests what is delivered; None for not at all.

    Raises:
        ValueError: there is no engine of this name.
    """
    engines: dict[str, type[Engine]] = {"compiled": CompiledEngine, "keras": KerasEngine}
    if name not in engines:
        raise ValueError(f"unknown engine {name!r}: expected compiled or keras")
    engine = engines[name]()
    reason, delivered = engine.refuses(jobs), []
    if not reason:
        delivered = [] if work is None else engine.read(work)
        reason = engine.compile()
    if not reason:
        return Chosen(engine, "", False, delivered)
    quiet = isinstance(engine, CompiledEngine) and engine.does_not_pay
    engine = KerasEngine()
    engine.refuses(jobs)
    delivered = [] if work is None else engine.read(work)
    return Chosen(engine, f"not compiled: {reason}", quiet, delivered)
