"""Any Keras model to any target, proven in the target's own runtime. Importing this imports no Keras."""

from portable_models.export.api import export
from portable_models.export.callable_package import make_callable as _make_callable
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

_make_callable(__name__)
