"""The matrix of runs that proves a model means the same on every backend."""

from typing import TYPE_CHECKING

from backends_matrix.matrix import matrix
from backends_matrix.plan import MatrixSettings
from backends_matrix.pytest_plugin import assert_portable, portable_checks

if TYPE_CHECKING:
    # At run time the package itself, which can be called (check/callable_package.py).
    from backends_matrix.check.api import check as check
else:
    from backends_matrix import check  # noqa: F401 - the package, which can be called

__all__ = ["MatrixSettings", "assert_portable", "matrix", "portable_checks"]
