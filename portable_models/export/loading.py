"""The one seam to the files: how a ``.keras`` file becomes a model here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from portable_models.export.errors import ExportError


def load(path: Path) -> Any:
    """The model in ``path``, without its compile settings, in safe mode.

    Raises:
        ExportError: the file is no model, or a class in it is not registered here.
    """
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise ExportError(_explain(path, error)) from error


def save(model: Any, path: Path) -> None:
    """Write ``model`` to ``path``."""
    model.save(path)


def _explain(path: Path, error: Exception) -> str:
    text = " ".join(str(error).split())
    if "register_keras_serializable" in text or "Could not locate class" in text:
        return (
            f"{path.name} holds a class that is not known here ({text[:200]}); "
            "name the module that registers it with --import package.module"
        )
    return f"{path.name} cannot be loaded: {text[:400]}"
