"""What is kept between processes: parsed data, and programs that took a while to compile."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
from pathlib import Path
from typing import Final

CACHE_VARIABLE: Final = "PORTABLE_MODELS_CACHE"
"""Names the folder of the cache; empty, nothing is kept."""

PROGRAMS_KEPT: Final = 400
"""How many compiled programs are kept, some 100 kB each; the oldest ones go first."""


def cache_folder() -> Path | None:
    """The folder of the cache; None where nothing is to be kept.

    That is ``$PORTABLE_MODELS_CACHE``, or ``portable_models`` in ``$XDG_CACHE_HOME`` or ``~/.cache``.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named is not None:
        return Path(named).expanduser() if named else None
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "portable_models"


def programs_folder() -> Path | None:
    """A folder for compiled programs, which is there; None where nothing is to be kept, or cannot be.

    Compiled code runs on processors like the one that it was compiled for, so each kind has a folder.
    """
    folder = cache_folder()
    if folder is None:
        return None
    mine = folder / f"programs-{_processor()}"
    try:
        # Whoever can write here decides what is run.
        mine.mkdir(mode=0o700, parents=True, exist_ok=True)
        _trim(mine)
    except OSError:
        return None
    return mine if os.access(mine, os.W_OK) else None


@functools.cache
def _processor() -> str:
    """Which instructions there are, as a short digest."""
    told = platform.processor()
    with contextlib.suppress(OSError, UnicodeError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        told = next((line for line in lines if line.startswith(("flags", "Features"))), told)
    return hashlib.sha256(f"{platform.machine()} {told}".encode()).hexdigest()[:12]


def _trim(folder: Path) -> None:
    files = list(folder.iterdir())
    if len(files) <= PROGRAMS_KEPT:
        return
    for path in sorted(files, key=_written)[:-PROGRAMS_KEPT]:
        with contextlib.suppress(OSError):
            path.unlink()


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another process has just removed it
        return 0.0
