"""The lock of an output folder: one run at a time.

The lock is a file that names its owner. On POSIX the owner also holds an ``flock`` on the file, which
the kernel releases when the process dies, so a lock that nobody holds is known to be stale.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backends_matrix.errors import RunError

LOCK_FILE = "run.lock"
_LONGEST = 10_000


@contextlib.contextmanager
def lock_folder(out: Path) -> Iterator[str]:
    """Hold the lock of an output folder.

    Args:
        out: the folder; it must exist.

    Yields:
        A sentence if the lock of a run that died was taken over, else an empty string.

    Raises:
        RunError: another run holds the lock.
        OSError: the lock file cannot be made.
    """
    path = out / LOCK_FILE
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(path, flags, 0o644)
    with os.fdopen(handle, "r+", encoding="utf-8", errors="replace") as file:
        free = _try_flock(file.fileno())
        owner = _read_owner(file.read(_LONGEST))
        if owner is None and not free:
            raise RunError(
                f"--out {out} is in use by another run; wait for it, or give another folder"
            )
        if owner is not None and (not free or not _is_stale(owner)):
            raise RunError(_refusal(out, owner, path))
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "host": socket.gethostname()}, file)
        file.flush()
        try:
            yield (
                ""
                if owner is None
                else (f"the lock of process {owner['pid']}, which has died, was taken over")
            )
        finally:
            # Emptied and not removed: whoever waits for the file would lock one that is no more.
            with contextlib.suppress(OSError):
                file.seek(0)
                file.truncate()


def _refusal(out: Path, owner: dict[str, Any], path: Path) -> str:
    return (
        f"--out {out} is in use by process {owner['pid']} on {owner['host']}; wait for it, "
        f"give another folder, or remove {path} if that process is no more"
    )


def _read_owner(text: str) -> dict[str, Any] | None:
    """The owner that a lock file names; None for a file that is empty or damaged."""
    try:
        owner = json.loads(text)
    except ValueError:
        return None
    if not isinstance(owner, dict):
        return None
    pid, host = owner.get("pid"), owner.get("host")
    if not isinstance(pid, int) or isinstance(pid, bool) or not isinstance(host, str):
        return None
    return {"pid": pid, "host": host}


def _is_stale(owner: dict[str, Any]) -> bool:
    """True if the owner is known to be gone. Of a process on another machine nothing is known."""
    if owner["host"] != socket.gethostname():
        return False
    if sys.platform != "win32":
        # This process has the flock, which a living owner would hold. Its number may be another's by now.
        return True
    return not _is_running(owner["pid"])


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _try_flock(handle: int) -> bool:
    """Take the kernel's lock of an open file; False if another process holds it."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
