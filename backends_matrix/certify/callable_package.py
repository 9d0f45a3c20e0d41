"""``backends_matrix.certify(...)``: the package is called as its main function is.

The name stands for both: ``backends_matrix.certify.CertifySettings`` is in the package,
``backends_matrix.certify(...)`` makes a certificate.
"""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Any

from backends_matrix.certify.api import certify
from backends_matrix.certify.certificate import Certificate


class CallablePackage(ModuleType):
    """A module that can be called; a call is :func:`backends_matrix.certify.api.certify`."""

    __signature__ = inspect.signature(certify)

    def __call__(self, *args: Any, **options: Any) -> Certificate:
        """Make a certificate; arguments as of ``certify``."""
        return certify(*args, **options)


def make_callable(package: str) -> None:
    """Let the imported package of this name be called; every import statement still gets the one module."""
    sys.modules[package].__class__ = CallablePackage
