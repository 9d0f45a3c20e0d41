"""The one seam to the files: how a ``.keras`` file becomes a model here, and what it says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portable_models import files
from portable_models.export.errors import ExportError


@dataclass(frozen=True)
class Origin:
    """What a ``.keras`` file says of where it comes from.

    Args:
        backend: the backend that wrote it, or None where the file does not say.
        recipe: the settings and figures of the training that were saved with it.
    """

    backend: str | None = None
    recipe: dict[str, Any] = field(default_factory=dict)


def origin(path: Path, imports: Sequence[str] = ()) -> Origin:
    """Read what the file says of itself, without Keras; nothing where it says nothing.

    A file that is refused here is refused with its reason when it is loaded.

    Raises:
        ExportError: there is no such file.
    """
    if not path.is_file():
        raise ExportError(f"there is no file {path}; give a .keras file")
    try:
        passport = files.describe(path, allow=_packages(imports)).passport
    except files.FileError:
        return Origin()
    if passport is None:
        return Origin()
    return Origin(passport.backend, dict(passport.recipe or {}))


def load(path: Path, imports: Sequence[str] = ()) -> Any:
    """The model in ``path``, without its compile settings, in safe mode.

    Args:
        path: a ``.keras`` file.
        imports: modules whose classes the file may hold; they are imported already.

    Raises:
        ExportError: the file is refused, or a class in it is not known here.
    """
    try:
        return files.load(path, compile=False, allow=_packages(imports))
    except files.FileError as error:
        hint = "" if imports else "; classes of your own: --import package.module registers them"
        raise ExportError(f"{error}{hint}") from error


def save(model: Any, path: Path) -> None:
    """Write ``model`` to ``path``.

    Raises:
        ExportError: the model cannot be written as a file that loads elsewhere.
    """
    try:
        files.save(model, path)
    except files.FileError as error:
        raise ExportError(str(error)) from error


def _packages(imports: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.partition(".")[0] for name in imports))
