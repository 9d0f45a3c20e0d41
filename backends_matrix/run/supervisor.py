"""Run cells: one worker process per backend; a crash or hang loses one cell, not the others."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends_matrix.run.cards import Placement
from backends_matrix.run.cell import Cell
from backends_matrix.run.environment import installed, worker_environment
from backends_matrix.run.observer import Observer, Silent
from backends_matrix.run.process import (
    WorkerCrashedError,
    WorkerError,
    WorkerHungError,
    WorkerProcess,
    WorkerRefusedError,
    WorkerUnavailableError,
)
from backends_matrix.run.result import RESULT_FILE, CellResult, Status, read_result


@dataclass(frozen=True)
class WorkerSettings:
    """Settings of the workers.

    Args:
        out: folder of the run; results go under ``cells``, what workers print under ``logs``.
        device: cpu, gpu or tpu.
        threads: bound on each worker's threads.
        silence: seconds without a finished epoch after which a cell is given up.
        cache: folder for compiled programs, or None.
        setup: backend -> ``package.module:function`` called in its worker once keras is imported.
        checkpoint: epochs between two checkpoints of a training; None writes none.
        placement: the card that each backend computes on.
    """

    out: Path
    device: str = "cpu"
    threads: int = 1
    silence: float = 1800.0
    cache: Path | None = None
    checkpoint: int | None = None
    setup: Mapping[str, str] = field(default_factory=dict)
    placement: Placement = field(default_factory=Placement)

    @property
    def cells(self) -> Path:
        """Folder of the cells' results."""
        return self.out / "cells"

    def log(self, backend: str) -> Path:
        """File that holds what the backend's workers print."""
        return self.out / "logs" / f"{backend}.log"


class WorkerSupervisor:
    """One backend's worker, started when it is needed and started again after a crash.

    Use as an async context manager: on leaving, the worker is ended, whatever happened.

    Args:
        backend: what Keras runs on.
        settings: how workers are run.
        double: compute in float64.
        observer: is told when a worker starts.
    """

    def __init__(
        self,
        backend: str,
        settings: WorkerSettings,
        *,
        double: bool = False,
        observer: Observer | None = None,
    ) -> None:
        self._observer = observer or Silent()
        self.backend = backend
        self.double = double
        self.environment: Mapping[str, Any] = {}
        self._settings = settings
        self._worker: WorkerProcess | None = None
        self._start_failure: CellFailure | None = None

    async def __aenter__(self) -> WorkerSupervisor:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._worker is not None and kind is not None:
            await self._worker.kill()
        await self.close()

    @property
    def name(self) -> str:
        """The worker's name in messages, and of its log."""
        return f"{self.backend}-float64" if self.double else self.backend

    async def reset(self) -> None:
        """End the worker now; the next command starts a new one."""
        if self._worker is not None:
            worker, self._worker = self._worker, None
            await worker.kill()

    async def close(self) -> None:
        """Let the worker end, and with it the memory that its framework holds."""
        if self._worker is not None:
            worker, self._worker = self._worker, None
            await worker.close()

    async def worker(self) -> WorkerProcess:
        """The running worker; a new one where there is none.

        Raises:
            WorkerError: it cannot be started.
        """
        if self._worker is None:
            if not installed(self.backend):
                raise WorkerUnavailableError(
                    f"the backend {self.backend} is not installed; install it with "
                    f'pip install "portable-models[{self.backend}]"'
                )
            settings = self._settings
            # The judge in float64 computes on the CPU: TPUs have no float64, and most cards little of it.
            device = "cpu" if self.double else settings.device
            arguments = ["--cells", str(settings.cells), "--device", device]
            arguments += ["--threads", str(settings.threads)]
            # A fault planted in a backend is not planted in the judge.
            arguments += ["--setup", "" if self.double else settings.setup.get(self.backend, "")]
            arguments += ["--double"] if self.double else []
            environment = worker_environment(
                self.backend,
                device=device,
                card=settings.placement.cards.get(self.backend),
                threads=settings.threads,
                cache=settings.cache,
                double=self.double,
            )
            self._observer.waiting(f"starting {self.name}")
            try:
                self._worker = await WorkerProcess.start(
                    arguments, environment, settings.log(self.name)
                )
            finally:
                self._observer.waited(f"starting {self.name}")
            self.environment = self._worker.environment
        return self._worker

    async def ask(self, command: Mapping[str, Any]) -> Any:
        """Send a command that has one event for an answer, and give that event.

        Raises:
            WorkerError: there is no answer. A worker that died or hung is replaced for the next command.
        """
        worker = await self.worker()
        try:
            return await worker.answer(command, self._settings.silence)
        except WorkerRefusedError:
            raise
        except WorkerError:
            await self.reset()
            raise

    async def run(self, cell: Cell, observer: Observer) -> CellResult:
        """Run one cell; whatever goes wrong is its result."""
        if self._start_failure is not None:
            return self._start_failure.result(cell)
        try:
            worker = await self.worker()
        except WorkerError as error:
            # What keeps one worker from starting keeps all from starting: no use in trying for each cell.
            self._start_failure = CellFailure.of(error)
            return self._start_failure.result(cell)
        observer.started(cell)
        # The result of an earlier run must not be taken for the one that is written now.
        self._remove_result(cell)
        try:
            async for event in worker.ask(
                {"do": "run", "cell": cell.to_json(), "checkpoint": self._settings.checkpoint},
                self._settings.silence,
            ):
                if event["event"] == "epoch":
                    observer.epoch(cell, event["epoch"], event["epochs"], event["metrics"])
        except WorkerError as error:
            await self.reset()
            return CellFailure.of(error).result(cell)
        return read_result(cell, self._settings.cells)

    async def run_seeds(self, cells: Sequence[Cell], observer: Observer) -> list[CellResult]:
        """Run a group of cells (``group_cells``), side by side where the worker can.

        Where the worker does not come to the end of them, those without a result are run by themselves.
        """
        if len(cells) > 1 and self._start_failure is None:
            for cell in cells:
                self._remove_result(cell)
            observer.started(cells[0])
            command = {"do": "run_seeds", "cells": [cell.to_json() for cell in cells]}
            try:
                worker = await self.worker()
                async for event in worker.ask(command, self._settings.silence):
                    if event["event"] == "epoch":
                        observer.epoch(cells[0], event["epoch"], event["epochs"], event["metrics"])
            except WorkerError as error:
                await self.reset()
                observer.note(f"{len(cells)} trainings side by side: {error}")
        found = []
        for cell in cells:
            result = read_result(cell, self._settings.cells) if len(cells) > 1 else None
            if result is None or result.status is Status.INVALID:
                result = await self.run(cell, observer)
            found.append(result)
        return found

    def _remove_result(self, cell: Cell) -> None:
        with contextlib.suppress(OSError):
            (self._settings.cells / cell.key / RESULT_FILE).unlink()


@dataclass(frozen=True)
class CellFailure:
    """Why a cell has no result of its own."""

    status: Status
    reason: str

    @classmethod
    def of(cls, error: WorkerError) -> CellFailure:
        """The failure that a worker's error stands for."""
        statuses: list[tuple[type[WorkerError], Status]] = [
            (WorkerUnavailableError, Status.UNAVAILABLE),
            (WorkerCrashedError, Status.CRASHED),
            (WorkerHungError, Status.TIMED_OUT),
        ]
        status = next(
            (status for kind, status in statuses if isinstance(error, kind)), Status.FAILED
        )
        return cls(status, str(error))

    def result(self, cell: Cell) -> CellResult:
        """The failure as the result of a cell."""
        return CellResult(cell, self.status, self.reason)
