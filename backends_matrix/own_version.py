"""The version of this project, as far as it is known."""

from __future__ import annotations

import importlib.metadata


def own_version() -> str:
    """The installed version; "not installed" where the source is only on ``PYTHONPATH``."""
    try:
        return importlib.metadata.version("portable-models")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
