"""End a worker with its parent, also if the parent was killed and the worker hangs in a user's code."""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from typing import IO

_PR_SET_PDEATHSIG = 1
"""``prctl(2)``: the signal that the kernel sends to this process when its parent dies."""


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent dies; only Linux can.

    Args:
        parent: process number of the parent; if it is gone already, this process ends.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have died before the call.
    if os.getppid() != parent:
        os._exit(1)


class CommandReader:
    """Reads commands in a thread, so that the end of standard input is noticed while a command runs.

    The parent closes standard input only after a command was answered. An end at any other time is the
    death of the parent, and ends the process at once.

    Args:
        stream: standard input.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lines: queue.Queue[str] = queue.Queue()
        self._idle = threading.Event()

    def lines(self) -> Iterator[str]:
        """One line after the other, until standard input ends."""
        threading.Thread(target=self._read, daemon=True).start()
        self.mark_idle()
        while line := self._lines.get():
            self._idle.clear()
            yield line

    def mark_idle(self) -> None:
        """Say that the command is about to be answered; the parent may end the worker from now on."""
        self._idle.set()

    def _read(self) -> None:
        for line in self._stream:
            self._lines.put(line)
        # A command may just have been taken out of the queue: it counts as idle only if nothing is left.
        if not self._idle.is_set() or not self._lines.empty():
            os._exit(1)
        self._lines.put("")
