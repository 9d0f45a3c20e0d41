"""A process that has imported one backend and forks a child for every target.

Importing a framework costs seconds, so it happens once. The server computes nothing itself: frameworks
start their threads with the first computation, and a process without threads can be forked safely. A
target that hangs, exits, changes global settings or eats memory therefore harms its own child only.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import runpy
import signal
import socket
import sys
import time
import warnings
from pathlib import Path
from typing import Any, TextIO

_LARGEST_FILE = 2 << 30
"""Bytes that a target may write into one file, its log included."""

WARM_MODULES = (
    "numpy",
    "h5py",
    "portable_models.files",
    "portable_models.random",
    "backends_matrix.check.worker.job",
    "backends_matrix.check.worker.numbers",
    "backends_matrix.check.worker.saved_files",
    "backends_matrix.check.worker.recording",
    "backends_matrix.check.worker.replay",
)


def main() -> None:
    """Answer one JSON object a line on the original standard output for each one read from standard input."""
    commands = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    # A target that reads from standard input finds it empty; what it prints goes into the log.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    try:
        versions = _import_backend()
    except BaseException as error:  # a framework may fail in any way; the parent reports it
        _say(answers, event="unavailable", reason=f"{type(error).__name__}: {error}")
        return
    gc.collect()
    gc.freeze()
    _say(answers, event="ready", versions=versions)
    for line in commands:
        order = json.loads(line)
        if order["command"] == "start":
            process = os.fork()
            if not process:
                commands.close()
                answers.close()
                _become_child(order)
            _say(answers, event="started", pid=process)
        elif order["command"] == "describe":
            _say(answers, event="described", **_describe(order["device"]))
        elif order["command"] == "reap":
            _say(answers, event="ended", code=_reap(order["pid"], order["grace"]))


def _reap(process: int, grace: float) -> int:
    """Wait for a child, at most so long; end it and everything that it started; return its exit code."""
    until = time.monotonic() + grace
    look = os.WEXITED | os.WNOWAIT | os.WNOHANG
    while os.waitid(os.P_PID, process, look) is None and time.monotonic() < until:
        time.sleep(0.005)
    # Not waited for yet, so that its number, and its group's, cannot belong to anybody else.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _import_backend() -> dict[str, str]:
    import keras

    from portable_models._backend import current

    for name in WARM_MODULES:
        importlib.import_module(name)
    return {"keras": keras.__version__, **current().versions()}


def _describe(device: str) -> dict[str, Any]:
    """The device as a child sees it, or why it cannot compute there; this process must not touch it."""
    reads, writes = os.pipe()
    process = os.fork()
    if not process:
        os.close(reads)
        with os.fdopen(writes, "w", encoding="utf-8") as stream:
            json.dump(_use_device(device), stream)
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads, encoding="utf-8") as stream:
        text = stream.read()
    os.waitpid(process, 0)
    found: dict[str, Any] = (
        json.loads(text) if text else {"reason": f"nothing computes on {device}"}
    )
    return found


def _use_device(device: str) -> dict[str, Any]:
    from backends_matrix.run.cards import describe_accelerator
    from portable_models._backend import current
    from portable_models._backend.devices import DeviceNotFoundError

    try:
        current().require_device(device)
        precision = dict(current().require_full_precision())
        held = describe_accelerator(current()) | {"precision": precision}
    except DeviceNotFoundError as error:
        return {"reason": str(error)}
    except Exception as error:  # whatever a driver or a framework says
        return {"reason": f"{type(error).__name__}: {error}".splitlines()[0]}
    return {"accelerator": held}


def _say(answers: TextIO, **event: Any) -> None:
    answers.write(json.dumps(event) + "\n")


def _become_child(order: dict[str, Any]) -> None:
    """Run one target's phases and end; never returns."""
    code = 1
    try:
        os.setsid()
        if order.get("device", "cpu") == "cpu":
            # A driver maps as much memory as the card has, and more.
            _limit_memory(order["memory"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if "script" in order:
            sys.argv = [order["script"], *order["arguments"]]
            os.chdir(Path(order["script"]).parent)
            from portable_models._keras.serialization import serialize_without_tensorflow

            # Else saving imports TensorFlow under every backend, which takes seconds.
            serialize_without_tensorflow()
            runpy.run_path(order["script"], run_name="__main__")
            return
        from backends_matrix.check.worker.job import run_job

        connection = socket.socket(socket.AF_UNIX)
        connection.connect(order["socket"])
        run_job(order, connection)
        code = 0
    except BaseException:  # the traceback belongs into the log, whatever ended the job
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _limit_memory(extra: int) -> None:
    """Allow ``extra`` bytes of private memory beyond what the process has now."""
    status = Path("/proc/self/status")
    if not status.exists():
        return
    held = next(line for line in status.read_text().splitlines() if line.startswith("VmData:"))
    limit = int(held.split()[1]) * 1024 + extra
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main()
