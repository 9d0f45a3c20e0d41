"""What an exception says, and where in the user's code it came from."""

from __future__ import annotations

import inspect
import linecache
import re
import sys
import sysconfig
import traceback
from pathlib import Path
from typing import Any

from backends_matrix.check.worker.keras_frames import keras_frames

_LONGEST = 4_000
_OWN = str(Path(__file__).parents[3])
_PROJECT = (f"{_OWN}/backends_matrix", f"{_OWN}/portable_models")
_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})
_PACKAGES = ("/site-packages/", "/dist-packages/")
_FRAMEWORKS = frozenset(
    {
        "keras",
        "jax",
        "jaxlib",
        "tensorflow",
        "torch",
        "numpy",
        "optree",
        "ml_dtypes",
        "h5py",
        "absl",
        "scipy",
    }
)
"""Packages below a model: an exception that goes through one of their lines alone is Keras's."""
_NOT_FOUND = (
    re.compile(r"Could not locate (?:class|function) '(\w+)'.*?'module': '([\w.]+)'", re.DOTALL),
    re.compile(r"names '(\w+)' of the module '([\w.]+)'"),
)
# TensorFlow quotes the user's frames inside of its message, since it runs a converted copy of the code.
_QUOTED_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>\S+)')


def is_library(file: str) -> bool:
    """Whether a file belongs to Python, an installed package, this project or generated code."""
    if file.startswith("<") or "__autograph_generated_file" in file:
        return True
    return file.startswith((*_PROJECT, *_LIBRARIES)) or any(each in file for each in _PACKAGES)


def is_users(file: str, root: str) -> bool:
    """Whether a file is the user's: no library's, or below ``root`` in spite of it.

    An installed package can be what is checked, and then its folder is ``root``. The environment with all
    other packages may lie below the user's folder, and is no part of it.

    Args:
        file: its path.
        root: the folder of what is checked; empty where there is none.
    """
    if not is_library(file):
        return True
    if not root or not file.startswith(f"{root.rstrip('/')}/"):
        return False
    around = [each for each in (*_PROJECT, *_LIBRARIES) if file.startswith(each)]
    if any(not root.startswith(each) for each in around):
        return False
    return not any(each in file[len(root) :] for each in _PACKAGES)


def describe(error: BaseException, user_root: str = "") -> dict[str, Any]:
    """An exception as JSON: type, message, frames of the user's code, outermost first.

    Args:
        error: the exception.
        user_root: folder whose files are the user's even if it lies among the installed packages.

    Returns:
        Besides, ``package_frame`` is the innermost frame in an installed package other than Keras and the
        frameworks, with the package's name; None where there is none. ``keras_frames`` are the functions and
        objects of Keras that it went through. ``named`` is the class or function that the message says cannot
        be found, with the place of its source; None where it says none.
    """
    frames: list[dict[str, Any]] = []
    last = ""
    package: dict[str, Any] | None = None
    seen: set[int] = set()
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        chain.append(current)
        current = current.__cause__ or current.__context__
    for each in chain:
        try:
            extracted = traceback.extract_tb(each.__traceback__)
        except RecursionError:
            continue
        inner: dict[str, Any] | None = None
        for frame in extracted:
            last = frame.filename if each is chain[0] else last
            if name := package_of(frame.filename):
                inner = _frame(frame.filename, frame.lineno or 0, frame.name) | {"package": name}
            if is_users(frame.filename, user_root):
                frames.append(_frame(frame.filename, frame.lineno or 0, frame.name))
        package = package or inner
        if frames:
            break
    message = _message(error)
    for quoted in _QUOTED_FRAME.finditer(message):
        if is_users(quoted["file"], user_root):
            found = _frame(quoted["file"], int(quoted["line"]), quoted["function"].rstrip("*"))
            if found not in frames:
                frames.append(found)
    return {
        "type": type(error).__name__,
        "module": type(error).__module__,
        "message": message,
        "causes": [f"{type(each).__name__}: {_message(each)[:500]}" for each in chain[1:4]],
        "frames": frames[-30:],
        "raised_in": last,
        "package_frame": package,
        "keras_frames": keras_frames(reversed(chain)) + _quoted_in_keras(message),
        "named": _named(" ".join(_message(each) for each in chain)),
    }


def _quoted_in_keras(message: str) -> list[dict[str, str]]:
    """The functions of Keras that TensorFlow quotes in the message of a failed graph."""
    return [
        {"function": quoted["function"].rstrip("*"), "class": "", "layer": ""}
        for quoted in _QUOTED_FRAME.finditer(message)
        if "/keras/" in quoted["file"]
    ]


def _named(text: str) -> dict[str, Any] | None:
    """The class that Keras, or this project, could not find by its name; it is looked up, not imported."""
    for pattern in _NOT_FOUND:
        for name, module in pattern.findall(text):
            kind = getattr(sys.modules.get(module), name, None)
            if kind is not None:
                return place_of_class(kind)
    return None


def place_of_class(kind: Any) -> dict[str, Any]:
    """Where a class is written: ``class``, ``file``, ``line``, and the installed package or ""."""
    try:
        file, line = inspect.getsourcefile(kind) or "", inspect.getsourcelines(kind)[1]
    except (OSError, TypeError):
        file, line = "", 0
    return {"class": kind.__name__, "file": file, "line": line, "package": package_of(file)}


def package_of(file: str) -> str:
    """The installed package that a file belongs to, if models are made with it; else ""."""
    if not is_library(file) or file.startswith(_PROJECT):
        return ""
    for each in _PACKAGES:
        name = file.rpartition(each)[2].partition("/")[0] if each in file else ""
        if name and name.removesuffix(".py") not in _FRAMEWORKS:
            return name.removesuffix(".py")
    return ""


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_LONGEST]
    except BaseException:  # a message may be computed, and that may fail too
        return ""


def _frame(file: str, line: int, function: str) -> dict[str, Any]:
    code = linecache.getline(file, line).strip()[:200]
    return {"file": file, "line": line, "function": function, "code": code}


def user_frame(user_root: str = "", depth: int = 2) -> dict[str, Any] | None:
    """The nearest frame of the user's code that leads to the caller; None where there is none."""
    # Documented in spite of its name; inspect.currentframe() takes no depth.
    frame = sys._getframe(depth) if depth else None  # noqa: SLF001
    while frame is not None:
        if is_users(frame.f_code.co_filename, user_root):
            return _frame(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
        frame = frame.f_back
    return None
