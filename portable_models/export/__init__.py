"""Any Keras model to any target, proven in the target's own runtime. Importing this imports no Keras.

``portable_models.export(model, to, out)`` calls ``portable_models.export.api.export``. The name stands for
this package too, because importing any module of it makes Python bind the package to that name.
"""

import inspect as _inspect
import sys as _sys
from types import ModuleType as _ModuleType

from portable_models.export.api import export
from portable_models.export.errors import ExportError, MissingPackageError, RefusedError
from portable_models.export.exporting import export_many
from portable_models.export.orders import Order
from portable_models.export.result import Check, ExportResult, Status
from portable_models.export.routes import ROUTES, Route
from portable_models.export.stateless_jax import stateless

__all__ = [
    "ROUTES",
    "Check",
    "ExportError",
    "ExportResult",
    "MissingPackageError",
    "Order",
    "RefusedError",
    "Route",
    "Status",
    "export",
    "export_many",
    "stateless",
]


class _Callable(_ModuleType):
    __signature__ = _inspect.signature(export)
    __call__ = staticmethod(export)


# Python lets a module have a class of its own: docs.python.org/3/reference/datamodel.html
_sys.modules[__name__].__class__ = _Callable
