"""Packages that are called as their main function is: ``backends_matrix.check(...)``, ``.certify(...)``.

The name stands for both: ``backends_matrix.check.CheckSettings`` is in the package, and
``backends_matrix.check(...)`` checks a model.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def make_callable(package: str, function: Callable[..., Any]) -> None:
    """Let the imported package of this name be called; every import statement still gets the one module."""

    class CallablePackage(ModuleType):
        __signature__ = inspect.signature(function)

        def __call__(self, *args: Any, **options: Any) -> Any:
            return function(*args, **options)

    CallablePackage.__call__.__doc__ = function.__doc__
    sys.modules[package].__class__ = CallablePackage
