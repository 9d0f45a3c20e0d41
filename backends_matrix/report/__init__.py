"""The report of a run: a JSON document, validated, and rendered for people and machines."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from backends_matrix.report.json_file import Document, ReportError, read, validate, write
from backends_matrix.report.terminal import show

if TYPE_CHECKING:
    from backends_matrix.report.render import render_all

__all__ = ["Document", "ReportError", "read", "render_all", "show", "validate", "write"]


def __getattr__(name: str) -> Any:
    """Rendering draws, and what draws takes long to import: not for what only prints."""
    if name == "render_all":
        return importlib.import_module(f"{__name__}.render").render_all
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
