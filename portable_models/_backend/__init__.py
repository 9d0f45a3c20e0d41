"""The only place that asks which backend runs."""

from portable_models._backend.base import Backend, DeviceNotFoundError
from portable_models._backend.running import current

__all__ = ["Backend", "DeviceNotFoundError", "current"]
