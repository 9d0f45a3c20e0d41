"""The only place that asks which backend runs."""

from portable_models._backend.base import Backend, DeviceNotFoundError, current

__all__ = ["Backend", "DeviceNotFoundError", "current"]
