"""Exceptions of a user's code in one line, with the user's file and line."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path

_ROOTS = [Path(__file__).parents[1], Path(__file__).parents[2] / "portable_models"]
_LIBRARIES = [
    Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")
]
_LONGEST = 2000


def describe_error(error: BaseException) -> str:
    """An exception as one line: type, message and the place where it was raised.

    The place is the innermost line of code that belongs to neither Python, an installed package nor this
    project.
    """
    place = find_user_place(error)
    return one_line(error) + (f" ({place})" if place else "")


def one_line(error: BaseException) -> str:
    """An exception's message in one line, led by its type where that adds something."""
    message = " ".join(_message(error).split())
    if len(message) > _LONGEST:
        message = f"{message[:_LONGEST]}…"
    if isinstance(error, (ValueError, RuntimeError)) and type(error).__module__.startswith(
        "portable_models"
    ):
        return message
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def find_user_place(error: BaseException) -> str:
    """``file.py:12`` of the innermost line of the user's code; empty if none took part."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_shown(Path(error.filename))}:{error.lineno}"
    for each in _causes(error):
        for frame in reversed(traceback.extract_tb(each.__traceback__)):
            path = Path(frame.filename)
            if path.is_absolute() and is_user_file(path):
                return f"{_shown(path)}:{frame.lineno}"
    return ""


def is_user_file(path: Path) -> bool:
    """True for a file that belongs to neither Python, an installed package nor this project."""
    return not any(path.is_relative_to(root) for root in (*_ROOTS, *_LIBRARIES))


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # an exception of a user's own may fail in its __str__
        return "its message cannot be shown"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, and those that it was raised from."""
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen:
        seen.append(current)
        yield current
        current = current.__cause__ or current.__context__


def _shown(path: Path) -> str:
    """Relative to the working directory where that is shorter."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
