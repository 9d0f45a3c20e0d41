"""``portable_models.export(model, to, out)``: the package is called as its main function is.

The name stands for both: ``portable_models.export.ROUTES`` is the package, ``portable_models.export(...)``
exports a model.
"""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Any

from portable_models.export.api import export
from portable_models.export.result import ExportResult


class CallablePackage(ModuleType):
    """A module that can be called; a call is :func:`portable_models.export.api.export`."""

    __signature__ = inspect.signature(export)

    def __call__(self, *args: Any, **settings: Any) -> ExportResult:
        """Export a model to a target and prove it there; arguments as of ``export``."""
        return export(*args, **settings)


def make_callable(package: str) -> None:
    """Let the imported package of this name be called.

    Replacing the class of the module keeps the one module object that every import statement gets.
    """
    sys.modules[package].__class__ = CallablePackage
