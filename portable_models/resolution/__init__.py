"""The one place that reads the name, config, class, object or function of a loss, metric or optimizer."""

from portable_models.resolution.compile_arguments import (
    resolve_loss,
    resolve_metrics,
    resolve_optimizer,
)
from portable_models.resolution.differences import nonportable_losses
from portable_models.resolution.errors import ArgumentsError, UnknownNameError

__all__ = [
    "ArgumentsError",
    "UnknownNameError",
    "nonportable_losses",
    "resolve_loss",
    "resolve_metrics",
    "resolve_optimizer",
]
