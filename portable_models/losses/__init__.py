"""Losses by name. Keras 3 lacks none that a portable definition needs, so none is defined here."""

from portable_models.names import loss as get

__all__ = ["get"]
