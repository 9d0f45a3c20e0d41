"""The warm servers of a session, and the phases of one target run on all of them."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from backends_matrix.check.fork_server_client import Child, ChildError, ForkServer, ForkServerError
from backends_matrix.check.members import Findings, Member
from backends_matrix.check.settings import CheckSettings
from backends_matrix.check.target import Target
from portable_models._cores import cores


class Pool:
    """ForkServers that stay warm over many targets; a context manager.

    Args:
        settings: which backends, and how much may run at a time.
    """

    def __init__(self, settings: CheckSettings) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="portable-check-"))
        # On a card, workers would wait for each other in any case, and share its memory.
        self._jobs = settings.jobs or (cores() if settings.device == "cpu" else 1)
        self._turn = threading.Semaphore(self._jobs)
        self._threads = settings.threads
        self._device = settings.device
        self._starting = threading.Lock()
        self._servers: dict[tuple[str, str], ForkServer] = {}
        self.unavailable: dict[str, str] = {}
        self._count = 0

    def start(self, backends: Iterable[str]) -> None:
        """Import these backends, side by side."""
        new = [
            name for name in backends if name not in self.backends and name not in self.unavailable
        ]
        made = {name: self._server(name, self._device) for name in new}
        for name, server in made.items():
            try:
                server.wait_until_ready()
                self._servers[name, self._device] = server
            except ForkServerError as error:
                server.close()
                self.unavailable[name] = str(error)

    def _server(self, backend: str, device: str) -> ForkServer:
        return ForkServer(backend, self._folder, self._threads, device)

    @property
    def versions(self) -> dict[str, str]:
        """Versions of Keras and of every framework that is loaded."""
        found: dict[str, str] = {}
        for server in self._servers.values():
            found |= server.versions
        return found

    @property
    def accelerators(self) -> dict[str, Mapping[str, Any]]:
        """The card of each backend that computes on one, and what was set there."""
        return {
            name: server.accelerator
            for (name, device), server in self._servers.items()
            if device != "cpu"
        }

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends that are ready."""
        return tuple(name for name, device in self._servers if device == self._device)

    def open(self, target: Target, settings: CheckSettings) -> Round:
        """Begin with a target."""
        self._count += 1
        folder = self._folder / f"target-{self._count}"
        folder.mkdir()
        return Round(self, target, settings, folder)

    def begin(self, member: Member, order: Mapping[str, Any], timeout: float) -> Child:
        """Fork a child for a member; a server that was not needed before, or has died, is started."""
        key = (member.backend, member.device(self._device))
        old = self._servers.get(key)
        if old is not None:
            with contextlib.suppress(ForkServerError):
                return Child(old, order, timeout)
        with self._starting:
            if self._servers.get(key) in (None, old):
                self._replace(key)
        return Child(self._servers[key], order, timeout)

    def _replace(self, key: tuple[str, str]) -> None:
        if key in self._servers:
            self._servers.pop(key).close()
        server = self._server(*key)
        try:
            server.wait_until_ready()
        except ForkServerError:
            server.close()
            raise
        self._servers[key] = server

    def run_script(
        self, backend: str, script: Path, arguments: Sequence[str], log: Path, timeout: float
    ) -> None:
        """Run a Python script in a fresh child of a backend; what it prints goes into ``log``.

        Raises:
            ChildError: it took too long.
        """
        server = self._servers[backend, self._device]
        process = server.ask(
            command="start", script=str(script), arguments=list(arguments), log=str(log),
            memory=4 << 30, device=self._device,
        )["pid"]  # fmt: skip
        code = server.ask(command="reap", pid=process, grace=timeout)["code"]
        if code < 0:
            raise ChildError(f"{script} did not end within {timeout:g} seconds", "script")

    def side_by_side(self, work: Mapping[Member, Callable[[], None]]) -> None:
        """Run one piece of work for each member, as many at a time as there are cores.

        An interrupt, or an exception of a piece, waits for the pieces that run and begins no other.
        """
        stopped = threading.Event()

        def in_turn(piece: Callable[[], None]) -> None:
            with self._turn:
                if not stopped.is_set():
                    piece()

        with ThreadPoolExecutor(max_workers=max(1, len(work))) as executor:
            futures = [executor.submit(in_turn, piece) for piece in work.values()]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                stopped.set()
                raise

    def close(self) -> None:
        """End all processes and remove all files."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Round:
    """One target on all members; a context manager."""

    def __init__(self, pool: Pool, target: Target, settings: CheckSettings, folder: Path) -> None:
        self._pool, self._target, self._settings = pool, target, settings
        self.folder = folder
        self._children: dict[Member, Child] = {}
        self.findings: dict[Member, Findings] = {}

    def run(
        self, phase: str, members: Iterable[Member], command: Callable[[Member], Mapping[str, Any]]
    ) -> None:
        """Run a phase on these members; whoever has ended is left out."""
        alive = [member for member in members if self._is_alive(member)]
        self._pool.side_by_side(
            {member: self._piece(member, phase, command(member)) for member in alive}
        )

    def _piece(self, member: Member, phase: str, command: Mapping[str, Any]) -> Callable[[], None]:
        def piece() -> None:
            found = self.findings.get(member)
            if found is None:
                found = Findings(member, self.folder / member.name)
                found.folder.mkdir(exist_ok=True)
                self.findings[member] = found
            try:
                if member not in self._children:
                    self._children[member] = self._pool.begin(
                        member, self._order(member), self._settings.timeout
                    )
                self._children[member].run(phase, **command)
            except ChildError as error:
                found.ended = (str(error), error.stage, error.hung)
            except ForkServerError as error:
                found.ended = (str(error), phase, False)
            found.forget()

        return piece

    def _is_alive(self, member: Member) -> bool:
        return member not in self.findings or self.findings[member].ended is None

    def _order(self, member: Member) -> dict[str, Any]:
        settings, folder = self._settings, self.folder / member.name
        target = asdict(self._target) | {"trust": settings.trust, "allow": settings.allow}
        return {
            "target": target,
            "folder": str(folder),
            "log": str(folder / "log"),
            "double": member.double,
            "device": member.device(settings.device),
            "memory": settings.memory,
            "threads": settings.threads,
            "seed": settings.seed,
            "sample": "" if settings.sample is None else str(settings.sample.resolve()),
        }

    def __enter__(self) -> Round:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in self._children.values():
            child.close()
        shutil.rmtree(self.folder, ignore_errors=True)
