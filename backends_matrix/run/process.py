"""One worker process, as its parent sees it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import SubprocessStreamProtocol
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from backends_matrix.atomic_files import make_folder, open_log
from backends_matrix.run.protocol import Event, decode_event, make_token

START_TIMEOUT = 300.0
"""Seconds until a worker must be ready: importing a framework takes up to 15 on a loaded machine."""

END_TIMEOUT = 10.0
"""Seconds that a worker has to end by itself once it has nothing more to do."""

_LINE_LIMIT = 64 * 1024 * 1024
"""Bytes of one event: a description of many experiments is far longer than asyncio's 64 KiB default."""

_LAST_WORDS = 300
"""Characters of a worker's log that a report quotes; the whole log stays on disk."""


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

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        transport: asyncio.SubprocessTransport,
        log: Path,
        begin: int,
        token: str,
    ) -> None:
        self._process = process
        self._transport = transport
        self._log = log
        # The log holds what earlier workers printed too, and what this one printed for earlier commands. Last
        # words must be those of the command during which it died.
        self._begin = begin
        self._token = token
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
            WorkerUnavailableError: the device is not there, or no process can be started.
            WorkerCrashedError: it ended before it was ready, as when the backend cannot be imported.
            WorkerHungError: it was not ready in time.
        """
        token = make_token()
        loop = asyncio.get_running_loop()
        try:
            make_folder(log.parent)
            with open_log(log) as sink:
                begin = sink.seek(0, os.SEEK_END)
                # As ``create_subprocess_exec`` does, which does not hand out the transport.
                transport, protocol = await loop.subprocess_exec(
                    lambda: SubprocessStreamProtocol(limit=_LINE_LIMIT, loop=loop),
                    sys.executable,
                    "-m",
                    "backends_matrix.run.worker",
                    *("--token", token, "--parent", str(os.getpid())),
                    *arguments,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=sink,
                    env=dict(environment),
                    # Ctrl-C goes to the parent alone, which then ends its workers in order.
                    start_new_session=True,
                )
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            raise WorkerUnavailableError(
                f"no worker can be started: {error.strerror or error}{where}"
            ) from None
        process = asyncio.subprocess.Process(transport, protocol, loop)
        worker = cls(process, transport, log, begin, token)
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
        with contextlib.suppress(OSError):
            self._begin = self._log.stat().st_size
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
        """End the process and what it has started, now, and wait until it is gone."""
        if self._process.returncode is None:
            # The worker leads a process group of its own. A killed worker cannot end its children.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if hasattr(os, "killpg"):
                    os.killpg(self._process.pid, signal.SIGKILL)
                else:
                    self._process.kill()
        self._close_pipes()
        await self._process.wait()

    async def close(self) -> None:
        """Let the process end by itself, as it does when there are no more commands."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), END_TIMEOUT)
        except TimeoutError:
            await self.kill()
        finally:
            self._close_pipes()

    def _close_pipes(self) -> None:
        """Close this process's ends of the pipes, which would close by themselves at the end of input.

        A process that the worker has forked may hold the other end open. Then asyncio waits for it, or, in a
        cancelled run that has no time to wait, prints a traceback when it finds the event loop closed.
        """
        for number in (0, 1):
            pipe = self._transport.get_pipe_transport(number)
            if pipe is not None:
                pipe.close()

    async def _next(self, timeout: float) -> Event:
        """The next event. What else the worker prints goes to its log and is no sign of life."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(timeout):
                while line := await self._process.stdout.readline():
                    event, noise = decode_event(self._token, line)
                    if noise:
                        self._keep_noise(noise)
                    if event is not None:
                        return event
        except TimeoutError:
            raise WorkerHungError(f"no sign of life for {timeout:g} seconds") from None
        except ValueError:
            await self.kill()
            raise WorkerCrashedError(
                f"the worker printed a line of more than {_LINE_LIMIT:,} bytes and was ended"
            ) from None
        raise await self._crash()

    async def _crash(self) -> WorkerCrashedError:
        try:
            code = await asyncio.wait_for(self._process.wait(), END_TIMEOUT)
        except TimeoutError:
            await self.kill()
            return WorkerCrashedError("the worker closed its output and was ended")
        how = f"was killed by {_signal_name(-code)}" if code < 0 else f"ended with exit code {code}"
        last = self._last_words()
        return WorkerCrashedError(
            f"the worker {how}" + (f"; its last words: {last}" if last else "")
        )

    def _keep_noise(self, noise: bytes) -> None:
        with contextlib.suppress(OSError), open_log(self._log) as sink:
            sink.write(noise)

    def _last_words(self) -> str:
        """The last line that this worker printed."""
        try:
            with self._log.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(self._begin, end - 4096))
                lines = file.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip()[:_LAST_WORDS] for line in reversed(lines) if line.strip()), "")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
