"""The only place that asks which backend runs."""

from portable_models._backend.base import Backend
from portable_models._backend.devices import DeviceNotFoundError
from portable_models._backend.running import current

__all__ = ["Backend", "DeviceNotFoundError", "current"]
