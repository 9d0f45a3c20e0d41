"""Child processes that run jobs: one process for many jobs, results through files, no orphan left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JOB_LIMIT_S = 900.0
"""How long one job may take; the longest seen is an unrolled recurrent model of 500 steps (minutes)."""

_POLL_S = 0.05
_LOG_LINES = 5


@dataclass(frozen=True)
class Job:
    """One thing to do in a child: ``request`` is what it reads, ``result`` the file that it writes."""

    request: Mapping[str, Any]
    result: Path

    def answer(self) -> dict[str, Any]:
        """What the child wrote: ``{"status": "done" | "refused" | "failed", "reason", ...}``."""
        answer: dict[str, Any] = json.loads(self.result.read_text(encoding="utf-8"))
        return answer


def write_answer(path: Path, answer: Mapping[str, Any]) -> None:
    """Write a job's answer so that it is there whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(answer), encoding="utf-8")
    partial.replace(path)


def run_jobs(
    module: str,
    jobs: Sequence[Job],
    folder: Path,
    environment: Mapping[str, str],
    *,
    limit_s: float = JOB_LIMIT_S,
    on_done: Callable[[Job], None] = lambda job: None,
) -> None:
    """Run ``jobs`` in order in ``python -m module``; afterwards each has an answer.

    A child that dies or hangs fails the job it was at, with the last lines of its log as the reason, and
    a new child goes on with the next.

    Args:
        module: the child's module; it takes the path of a JSON file ``{"jobs": [...]}``.
        jobs: what to do; none must have a result yet.
        folder: for requests and logs.
        environment: variables set for the child beside this process's own.
        limit_s: seconds that one job may take.
        on_done: called after each job.
    """
    waiting = list(jobs)
    while waiting:
        finished = _run_child(module, waiting, folder, environment, limit_s, on_done)
        waiting = waiting[finished:]


def _run_child(
    module: str,
    jobs: list[Job],
    folder: Path,
    environment: Mapping[str, str],
    limit_s: float,
    on_done: Callable[[Job], None],
) -> int:
    """Run one child until it ends; returns how many of ``jobs`` have an answer, at least one."""
    name = jobs[0].result.stem
    request, log = folder / f"{name}.request.json", folder / f"{name}.log"
    request.write_text(
        json.dumps({"jobs": [{**job.request, "result": str(job.result)} for job in jobs]}),
        encoding="utf-8",
    )
    finished, since = 0, time.monotonic()
    with log.open("wb") as output, _child(module, request, environment, output) as child:
        while finished < len(jobs):
            ended = child.poll() is not None
            while finished < len(jobs) and jobs[finished].result.exists():
                on_done(jobs[finished])
                finished, since = finished + 1, time.monotonic()
            if ended:
                break
            if time.monotonic() - since > limit_s:
                write_answer(
                    jobs[finished].result,
                    {"status": "failed", "reason": f"took longer than {limit_s:.0f} s"},
                )
                on_done(jobs[finished])
                return finished + 1
            time.sleep(_POLL_S)
    if finished < len(jobs):
        write_answer(
            jobs[finished].result,
            {"status": "failed", "reason": _death(child.returncode, log)},
        )
        on_done(jobs[finished])
        finished += 1
    return finished


@contextlib.contextmanager
def _child(module: str, request: Path, environment: Mapping[str, str], output: Any) -> Any:
    """The child in a session of its own, so that Ctrl-C reaches only the parent, which ends it."""
    # What the parent can import, the child can: a checkout that is not installed, a user's own module.
    path = os.pathsep.join(
        dict.fromkeys([str(Path.cwd()), *(entry for entry in sys.path if entry)])
    )
    child = subprocess.Popen(
        [sys.executable, "-m", module, str(request)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env={**os.environ, **environment, "PYTHONPATH": path},
        start_new_session=True,
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _death(code: int | None, log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    tail = " | ".join(lines[-_LOG_LINES:]) or "it printed nothing"
    how = f"was killed by signal {-code}" if code and code < 0 else f"ended with code {code}"
    return f"the child process {how}; last lines of its log: {tail}"
