"""``backends_matrix.check(...)``: the package is called as its main function is.

The name stands for both: ``backends_matrix.check.CheckSettings`` is the package,
``backends_matrix.check(...)`` checks a model.
"""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Any

from backends_matrix.check.api import check
from backends_matrix.check.result import CheckReport


class CallablePackage(ModuleType):
    """A module that can be called; a call is :func:`backends_matrix.check.api.check`."""

    __signature__ = inspect.signature(check)

    def __call__(self, *args: Any, **options: Any) -> CheckReport:
        """Check models; arguments as of ``check``."""
        return check(*args, **options)


def make_callable(package: str) -> None:
    """Let the imported package of this name be called; every import statement still gets the one module."""
    sys.modules[package].__class__ = CallablePackage
