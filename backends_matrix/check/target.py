"""What is to be checked, as it is named on the command line."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backends_matrix.errors import CallError

BUILDER = "build_model"


@dataclass(frozen=True)
class Target:
    """One target.

    Args:
        name: as the user named it; files found in a folder are named by their path.
        kind: file, module or keras.
        path: of the file, absolute; for a module the folder that it is imported from.
        module: dotted name, for a module.
        object: name of the builder; "" is ``build_model``.
    """

    name: str
    kind: str
    path: str
    module: str = ""
    object: str = ""

    @property
    def stem(self) -> str:
        """What files about it are called after."""
        return self.object if self.kind == "module" else Path(self.path).stem


def find_targets(names: Sequence[str]) -> list[Target]:
    """All targets that the names stand for; a folder stands for every file with a ``build_model``.

    Raises:
        CallError: a name stands for nothing.
    """
    found: list[Target] = []
    for name in names:
        found += _of_folder(name) if Path(name).is_dir() else [_parse(name)]
    if not found:
        raise CallError(
            "no target is given: expected FILE.py, FILE.py:OBJECT, MODULE:OBJECT, FILE.keras or a folder"
        )
    return found


def _of_folder(name: str) -> list[Target]:
    found = []
    for path in sorted(Path(name).rglob("*.py")):
        if any(part.startswith((".", "__pycache__")) for part in path.relative_to(name).parts):
            continue
        if _has_builder(path):
            found.append(Target(str(path), "file", str(path.resolve())))
    found += [
        Target(str(path), "keras", str(path.resolve()))
        for path in sorted(Path(name).rglob("*.keras"))
    ]
    if not found:
        raise CallError(
            f"{name}: no file with a {BUILDER} and no .keras file in this folder; define def {BUILDER}() "
            "that returns a keras.Model"
        )
    return found


def _has_builder(path: Path) -> bool:
    """Whether a file defines ``build_model`` at its top; read as text, not imported."""
    try:
        text = path.read_bytes()
        tree = ast.parse(text)
    except (SyntaxError, ValueError, OSError, RecursionError):
        # Not Python, or broken: worth a report if it is meant to be one.
        return b"def build_model" in _bytes(path)
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == BUILDER
        for node in tree.body
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _parse(name: str) -> Target:
    path, _, wanted = name.rpartition(":") if _names_object(name) else (name, "", "")
    if path.endswith(".keras"):
        return Target(name, "keras", _existing(path, name))
    if path.endswith(".py"):
        return Target(name, "file", _existing(path, name), "", wanted)
    if wanted and all(part.isidentifier() for part in path.split(".")):
        return Target(name, "module", str(Path.cwd()), path, wanted)
    raise CallError(
        f"{name!r} is no target: expected FILE.py, FILE.py:OBJECT, PACKAGE.MODULE:OBJECT, "
        f"FILE.keras or a folder"
        + ("" if Path(name).suffix or wanted else "; no folder has this name")
    )


def _names_object(name: str) -> bool:
    head, colon, tail = name.rpartition(":")
    return bool(colon and head and tail.replace(".", "").isidentifier())


def _existing(path: str, name: str) -> str:
    if not Path(path).is_file():
        raise CallError(f"{name}: no such file: {path}")
    return str(Path(path).resolve())
