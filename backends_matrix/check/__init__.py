"""``portable check``: does a Keras 3 model mean the same on every backend; if not, where and why."""

from backends_matrix.callable_package import make_callable as _make_callable
from backends_matrix.check.api import check
from backends_matrix.check.result import Check, CheckReport, Kind, Status, TargetResult
from backends_matrix.check.settings import CheckSettings

__all__ = [
    "Check",
    "CheckReport",
    "CheckSettings",
    "Kind",
    "Status",
    "TargetResult",
    "check",
]

_make_callable(__name__, check)
