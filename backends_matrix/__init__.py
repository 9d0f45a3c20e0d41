"""The matrix of runs that proves a model means the same on every backend."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backends_matrix.report.matrix_report import MatrixReport, compare, matrix
    from backends_matrix.run.settings import MatrixSettings

__all__ = ["MatrixReport", "MatrixSettings", "compare", "matrix"]

_MODULES = {
    "MatrixSettings": "backends_matrix.run.settings",
    "compare": "backends_matrix.report.matrix_report",
    "MatrixReport": "backends_matrix.report.matrix_report",
    "matrix": "backends_matrix.report.matrix_report",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that importing the package costs nothing."""
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
