"""Warm processes as the parent sees them: a server for each backend, a child for each target."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backends_matrix.run.environment import worker_environment

START_TIMEOUT = 180.0
"""Seconds until a framework must be imported, on a loaded machine."""

GRACE = 2.0
"""Seconds that a child may take to end once its connection is closed."""

_LONGEST_LINE = 1 << 20


class ChildError(Exception):
    """A child did not finish a phase.

    Args:
        message: one line.
        stage: the stage that it was in.
        hung: it was stopped because it took too long.
    """

    def __init__(self, message: str, stage: str, *, hung: bool = False) -> None:
        super().__init__(message)
        self.stage, self.hung = stage, hung


class ForkServerError(Exception):
    """A backend cannot be imported."""


class ForkServer:
    """A process that has imported a backend and forks children.

    Args:
        backend: what Keras runs on.
        folder: for its log and JAX's compiled programs.
        threads: of each child.
        device: cpu, gpu or tpu: where the children compute.
    """

    def __init__(self, backend: str, folder: Path, threads: int, device: str = "cpu") -> None:
        self.backend, self.device = backend, device
        self.accelerator: Mapping[str, Any] = {}
        self.versions: Mapping[str, str] = {}
        self._lock = threading.Lock()
        self._log = folder / f"{backend}-{device}.log"
        environment = worker_environment(
            backend, device=device, threads=threads, cache=folder / "compiled"
        )
        # PyTorch may be asked for its cards during the import. By NVML it starts no CUDA, which would not
        # survive a fork: https://docs.pytorch.org/docs/stable/notes/cuda.html#environment-variables
        environment["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"
        with self._log.open("wb") as sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "backends_matrix.check.worker.fork_server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                env=environment,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Wait for the import; off the CPU, see whether a child computes on the device.

        Raises:
            ForkServerError: the backend cannot be imported, or does not compute on the device.
        """
        answer = self._answer(START_TIMEOUT)
        if answer.get("event") != "ready":
            raise ForkServerError(f"{self.backend} cannot be imported: {answer.get('reason', '')}")
        self.versions = answer["versions"]
        if self.device != "cpu":
            answer = self.ask(command="describe", device=self.device)
            if "reason" in answer:
                raise ForkServerError(answer["reason"])
            self.accelerator = answer["accelerator"]

    def ask(self, **command: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        with self._lock:
            assert self._process.stdin is not None
            try:
                self._process.stdin.write(json.dumps(command).encode() + b"\n")
                self._process.stdin.flush()
            except OSError:
                raise ForkServerError(f"the process of {self.backend} has ended") from None
            return self._answer(START_TIMEOUT)

    def _answer(self, timeout: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        stream = self._process.stdout
        lines: queue.Queue[bytes] = queue.Queue()
        reader = threading.Thread(target=lambda: lines.put(stream.readline()), daemon=True)
        reader.start()
        try:
            line = lines.get(timeout=timeout)
        except queue.Empty:
            self.close()
            raise ForkServerError(
                f"{self.backend} was not ready after {timeout:g} seconds"
            ) from None
        if not line:
            raise ForkServerError(f"the process of {self.backend} ended: {last_words(self._log)}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


class Child:
    """One target's process on one backend."""

    def __init__(self, server: ForkServer, order: Mapping[str, Any], timeout: float) -> None:
        self._server, self._timeout = server, timeout
        self._log = Path(order["log"])
        self._ended = False
        # A socket's path may have 107 bytes, so it lies in a folder with a short name.
        self._place = tempfile.mkdtemp(prefix="pc-")
        path = str(Path(self._place) / "s")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(1)
        listener.settimeout(timeout)
        self._pid: int = server.ask(command="start", socket=path, **order)["pid"]
        try:
            self._connection, _ = listener.accept()
        except TimeoutError:
            self.close()
            raise ChildError("the process did not start", "start") from None
        finally:
            listener.close()
        self._connection.settimeout(timeout)
        self._buffer = b""

    def run(self, phase: str, **command: Any) -> None:
        """Run one phase; its results are in files afterwards.

        Raises:
            ChildError: it ended, or a stage took longer than allowed.
        """
        stage = phase
        try:
            self._connection.sendall(json.dumps({"phase": phase, **command}).encode() + b"\n")
            for event in self._events():
                if event["event"] == "done":
                    return
                stage = event["stage"]
        except TimeoutError:
            self.close(hung=True)
            raise ChildError(
                f"stopped after {self._timeout:g} seconds in {stage!r} (--timeout)",
                stage,
                hung=True,
            ) from None
        except (OSError, ValueError, KeyError):
            pass
        raise ChildError(f"{self._how()} in {stage!r}", stage)

    def _events(self) -> Iterator[dict[str, Any]]:
        while True:
            while b"\n" not in self._buffer:
                part = self._connection.recv(65536)
                if not part or len(self._buffer) > _LONGEST_LINE:
                    raise OSError
                self._buffer += part
            line, _, self._buffer = self._buffer.partition(b"\n")
            yield json.loads(line)

    def _how(self) -> str:
        code = self.close()
        words = last_words(self._log)
        said = f"; its last words: {words}" if words else ""
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            return f"the process was killed by {name}{said}"
        return f"the process ended itself with exit code {code}{said}"

    def close(self, *, hung: bool = False) -> int | None:
        """End the process and everything that it has started; returns its exit code, once."""
        if self._ended:
            return None
        self._ended = True
        with contextlib.suppress(OSError, AttributeError):
            self._connection.shutdown(socket.SHUT_RDWR)
            self._connection.close()
        code: int | None = None
        with contextlib.suppress(ForkServerError):
            code = self._server.ask(command="reap", pid=self._pid, grace=0.0 if hung else GRACE)[
                "code"
            ]
        for leftover in Path(self._place).iterdir():
            leftover.unlink()
        Path(self._place).rmdir()
        return code


def last_words(log: Path) -> str:
    """The last line that a process printed."""
    if not log.exists():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 4096))
        text = stream.read().decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "".join(each for each in lines[-1] if each.isprintable())[:300] if lines else ""
