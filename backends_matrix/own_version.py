"""The version of this project, as far as it is known."""

from __future__ import annotations

from backends_matrix.run.environment import package_version


def own_version() -> str:
    """The installed version; "not installed" where the source is only on ``PYTHONPATH``."""
    return package_version("portable-models") or "not installed"
