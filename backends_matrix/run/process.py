"""One worker process, as its parent sees it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

Event = dict[str, Any]

START_TIMEOUT = 300.0
"""Seconds until a worker must be ready: importing a framework takes up to 15 on a loaded machine."""

_LINE_LIMIT = 64 * 1024 * 1024
"""Bytes of one event: a description of many experiments is far longer than asyncio's 64 KiB default."""


class WorkerError(Exception):
    """A worker did not do what it was told; the message says why in one line."""


class WorkerUnavailableError(WorkerError):
    """The backend or the device is not there."""


class WorkerCrashedError(WorkerError):
    """The process ended by itself."""


class WorkerHungError(WorkerError):
    """The process gave no sign of life for too long."""


class WorkerRefusedError(WorkerError):
    """The worker answered a command with an error.

    Args:
        message: what it answered.
        kind: the exception's type.
    """

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class WorkerProcess:
    """Starts a worker, sends it commands, and yields its events. Made by ``start``."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self.environment: Mapping[str, Any] = {}

    @classmethod
    async def start(
        cls, arguments: list[str], environment: Mapping[str, str], log: Path
    ) -> WorkerProcess:
        """Start a worker and wait until it is ready.

        Args:
            arguments: the worker's own arguments.
            environment: its environment variables.
            log: file that receives what it prints; added to, never overwritten.

        Raises:
            WorkerUnavailableError: the device is not there.
            WorkerCrashedError: it ended before it was ready, as when the backend cannot be imported.
            WorkerHungError: it was not ready in time.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as sink:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "backends_matrix.run.worker",
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=sink,
                env=dict(environment),
                limit=_LINE_LIMIT,
                # Ctrl-C goes to the parent alone, which then ends its workers in order.
                start_new_session=True,
            )
        worker = cls(process, log)
        try:
            event = await worker._next(START_TIMEOUT)
        except BaseException:
            await worker.kill()
            raise
        if event["event"] == "unavailable":
            await worker.kill()
            raise WorkerUnavailableError(event["reason"])
        worker.environment = event["environment"]
        return worker

    async def ask(self, command: Mapping[str, Any], silence: float) -> AsyncIterator[Event]:
        """Send a command and yield its events, the last one included.

        Args:
            command: what is asked.
            silence: seconds without any event after which the worker counts as hung.

        Raises:
            WorkerCrashedError: the process ended.
            WorkerHungError: no event came for ``silence`` seconds.
            WorkerRefusedError: the worker answered with an error.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise await self._crash() from None
        while True:
            event = await self._next(silence)
            if event["event"] == "error":
                raise WorkerRefusedError(event["reason"], event["kind"])
            yield event
            if event["event"] != "epoch":
                return

    async def answer(self, command: Mapping[str, Any], silence: float) -> Event:
        """Send a command that has one event for an answer."""
        last: Event = {}
        async for event in self.ask(command, silence):
            last = event
        return last

    async def kill(self) -> None:
        """End the process now and wait until it is gone."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def close(self) -> None:
        """Let the process end by itself, as it does when there are no more commands."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            await self.kill()

    async def _next(self, timeout: float) -> Event:
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), timeout)
        except TimeoutError:
            raise WorkerHungError(f"no sign of life for {timeout:g} seconds") from None
        if not line:
            raise await self._crash()
        event: Event = json.loads(line)
        return event

    async def _crash(self) -> WorkerCrashedError:
        code = await self._process.wait()
        how = (
            f"was killed by {signal.Signals(-code).name}"
            if code < 0
            else f"ended with exit code {code}"
        )
        last = self._last_words()
        return WorkerCrashedError(
            f"the worker {how}" + (f"; its last words: {last}" if last else "")
        )

    def _last_words(self) -> str:
        """The last line that the worker printed, for the report; the whole log stays on disk."""
        lines = self._log.read_bytes()[-4096:].decode(errors="replace").split("\n")
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")
