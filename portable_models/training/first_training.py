"""The first training of a variant, caught when everything is ready and nothing has happened yet.

A variant may train once, or once for each fold, through procedures of a user's own; all of them come to
``fit``. Level 1 looks at single steps of the first of these trainings.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from portable_models.training.engines.engine import Job

_CATCHING: ContextVar[bool] = ContextVar("catching", default=False)


class _CaughtError(BaseException):
    """Carries a job out of whatever led to it; no ``except Exception`` on the way stops it."""

    def __init__(self, job: Job, engine: str) -> None:
        super().__init__()
        self.job = job
        self.engine = engine


def job_of_first_training(train: Callable[[], Any]) -> tuple[Job, str]:
    """The first job that ``train`` leads to, its model built and compiled, and the engine asked for.

    Raises:
        ValueError: it trains nothing.
    """
    token = _CATCHING.set(True)
    try:
        train()
    except _CaughtError as caught:
        return caught.job, caught.engine
    finally:
        _CATCHING.reset(token)
    raise ValueError("nothing was trained through portable_models.fit, so no step can be looked at")


def offer(job: Job, engine: str) -> None:
    """Called by ``fit`` when a job is ready; does not return where somebody waits for it."""
    if _CATCHING.get():
        raise _CaughtError(job, engine)
