"""Ctrl-C, SIGTERM and SIGHUP: each ends a run in order, and what has finished is reported."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Coroutine, Iterator
from types import FrameType
from typing import Any

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Those that exist on the system."""


@contextlib.contextmanager
def raise_on_signals() -> Iterator[None]:
    """Inside, SIGTERM and SIGHUP raise KeyboardInterrupt as Ctrl-C does.

    A signal that is ignored stays ignored: that is how ``nohup`` keeps a program running.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    for number in _numbers():
        handler = signal.getsignal(number)
        if handler not in (signal.SIG_IGN, None):
            before[number] = signal.signal(number, _raise)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_until_interrupted(work: Coroutine[Any, Any, None]) -> str:
    """Run a coroutine to its end, or cancel it when a signal comes.

    The first signal cancels the work, whose context managers end the workers. A second one changes
    nothing, since ending them takes no time.

    Returns:
        The name of the signal; empty if none came.
    """
    if threading.current_thread() is not threading.main_thread():
        asyncio.run(work)
        return ""
    received: list[str] = []

    async def cancellable() -> None:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        assert task is not None

        def stop(number: int, frame: FrameType | None) -> None:
            del frame
            if not received:
                received.append(signal.Signals(number).name)
                loop.call_soon_threadsafe(task.cancel)

        before = {}
        for number in _numbers():
            handler = signal.getsignal(number)
            if handler not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, stop)
        try:
            await work
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    try:
        asyncio.run(cancellable())
    except asyncio.CancelledError:
        if not received:
            raise
    except KeyboardInterrupt:
        received.append("SIGINT")
    return received[0] if received else ""


def _raise(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def _numbers() -> list[signal.Signals]:
    return [signal.Signals[name] for name in SIGNALS if hasattr(signal, name)]
