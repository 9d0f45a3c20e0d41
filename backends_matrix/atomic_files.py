"""Write files whole or not at all, and never through a symbolic link.

A folder of results may come from elsewhere. A link that somebody planted in it must not lead a write out
of it.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import BinaryIO

MODE = 0o644
"""``mkstemp`` makes files that only their owner reads; results are made like other files."""


def make_folder(path: Path) -> Path:
    """Make a folder inside of a folder of results, unless it exists.

    Args:
        path: its parent must exist.

    Raises:
        OSError: it cannot be made, or the path is a symbolic link or a file.
    """
    try:
        path.mkdir()
    except FileExistsError:
        found = path.lstat().st_mode
        if stat.S_ISLNK(found):
            raise _link_error(path) from None
        if not stat.S_ISDIR(found):
            raise OSError(
                errno.ENOTDIR, "a file stands where a folder is needed", str(path)
            ) from None
    return path


def write_atomically(path: Path, content: bytes) -> Path:
    """Write a file so that a reader sees the old or the new content, never half of it.

    A symbolic link at ``path`` is replaced by the file; what it points to is not touched.

    Args:
        path: its folder must exist.
        content: all of the file.

    Raises:
        OSError: the file cannot be written; no temporary file is left.
    """
    handle, name = tempfile.mkstemp(
        prefix=f".{path.name[:40]}.", suffix=".partial", dir=path.parent
    )
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        partial.chmod(MODE & ~_umask())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return path


def open_log(path: Path) -> BinaryIO:
    """Open a file to append to it.

    Raises:
        OSError: it cannot be opened, or it is a symbolic link.
    """
    if path.is_symlink():
        raise _link_error(path)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(path, flags, MODE), "ab")


def _link_error(path: Path) -> OSError:
    return OSError(errno.ELOOP, "it is a symbolic link, which is not followed", str(path))


def _umask() -> int:
    # Python has no way to read it but to set it.
    current = os.umask(0o022)
    os.umask(current)
    return current
