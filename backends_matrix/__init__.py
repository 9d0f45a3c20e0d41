"""The matrix of runs that proves a model means the same on every backend."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backends_matrix.certify.api import certify as certify
    from backends_matrix.check.api import check as check
    from backends_matrix.pytest_plugin import assert_portable, portable_checks
    from backends_matrix.report.matrix_report import MatrixReport, compare, matrix
    from backends_matrix.run.settings import MatrixSettings

__all__ = [
    "MatrixReport",
    "MatrixSettings",
    "assert_portable",
    "compare",
    "matrix",
    "portable_checks",
]

_MODULES = {
    "MatrixSettings": "backends_matrix.run.settings",
    "assert_portable": "backends_matrix.pytest_plugin",
    "compare": "backends_matrix.report.matrix_report",
    "MatrixReport": "backends_matrix.report.matrix_report",
    "matrix": "backends_matrix.report.matrix_report",
    "portable_checks": "backends_matrix.pytest_plugin",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that importing the package costs nothing."""
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    if name in ("certify", "check"):
        # The package, which can be called (callable_package.py).
        return importlib.import_module(f"backends_matrix.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
