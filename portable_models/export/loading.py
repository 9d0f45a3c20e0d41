"""The one seam to the files: how a ``.keras`` file becomes a model here, and what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        strings: whether an input of the model takes words.
    """

    backend: str | None = None
    recipe: dict[str, Any] = field(default_factory=dict)
    strings: bool = False


def origin(path: Path, imports: Sequence[str] = ()) -> Origin:
    """Read what the file says of itself, without Keras; nothing where it says nothing.

    A file that is refused here is refused with its reason when it is loaded.

    Raises:
        ExportError: there is no such file.
    """
    if not path.is_file():
        raise ExportError(f"there is no file {path}; give a .keras file")
    try:
        contents = files.describe(path, allow=_packages(imports))
    except files.FileError:
        return Origin()
    strings = _takes_strings(contents.config)
    passport = contents.passport
    if passport is None:
        return Origin(strings=strings)
    return Origin(passport.backend, dict(passport.recipe or {}), strings)


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


def _takes_strings(value: Any) -> bool:
    """Whether a configuration has an InputLayer of words, at any depth."""
    if isinstance(value, Mapping):
        config = value.get("config")
        if value.get("class_name") == "InputLayer" and isinstance(config, Mapping):
            return bool(config.get("dtype") == "string")
        return any(map(_takes_strings, value.values()))
    return isinstance(value, list | tuple) and any(map(_takes_strings, value))


def _packages(imports: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.partition(".")[0] for name in imports))
