"""The output folder of a run: checked before anything starts, locked, and never overwritten."""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from backends_matrix.atomic_files import make_folder, write_atomically
from backends_matrix.errors import CallError, RunError
from backends_matrix.run.lock import LOCK_FILE, lock_folder

MARKER = "run.json"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EIO}
"""Errors that are not the folder's fault: another one on the same disk would not do either."""


@contextlib.contextmanager
def open_folder(out: Path, *, resume: bool, command: list[str]) -> Iterator[str]:
    """Make the folder ready for a run and hold its lock.

    An earlier run's files are moved to ``earlier-1``, ``earlier-2`` …, unless it is resumed.

    Yields:
        A sentence if the lock of a run that died was taken over, else an empty string.

    Raises:
        CallError: it cannot be written to, or holds files that are no run of this project.
        RunError: another run uses it, or the disk is full.
    """
    with contextlib.ExitStack() as stack:
        try:
            out.mkdir(parents=True, exist_ok=True)
            _refuse_other_files(out, _present(out))
            note = stack.enter_context(lock_folder(out))
            present = _present(out)
            if present and not resume:
                _move_aside(out, present)
            write_atomically(out / MARKER, json.dumps({"command": command}).encode())
            for name in ("cells", "logs"):
                make_folder(out / name)
        except OSError as error:
            kind = RunError if error.errno in _FULL else CallError
            raise kind(
                f"--out {out} cannot be written to ({error.strerror or error}); give another folder"
            ) from None
        yield note


def _present(out: Path) -> list[Path]:
    """The files of an earlier run, the marker last, so that an interrupted move can be repeated."""
    found = [
        path
        for path in sorted(out.iterdir())
        if not path.name.startswith("earlier-")
        and path.name != LOCK_FILE
        # What is left of a write that was killed.
        and not (path.name.startswith(".") and path.name.endswith(".partial"))
    ]
    return sorted(found, key=lambda path: path.name == MARKER)


def _refuse_other_files(out: Path, present: list[Path]) -> None:
    if present and not (out / MARKER).exists():
        raise CallError(
            f"--out {out} holds other files ({present[0].name}, …); give an empty or new folder"
        )


def _move_aside(out: Path, present: list[Path]) -> None:
    number = 1
    while (out / f"earlier-{number}").exists():
        number += 1
    target = out / f"earlier-{number}"
    target.mkdir()
    for path in present:
        shutil.move(path, target / path.name)
