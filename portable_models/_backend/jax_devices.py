"""The devices of JAX."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping

import jax

from portable_models._backend.devices import Device, Devices, kind_of

DETERMINISTIC = "xla_gpu_deterministic_ops"
"""XLA's flag, which is read once, from ``XLA_FLAGS``, when the first device is made."""


class JaxDevices(Devices):
    """Devices as JAX sees them; the first one of the default platform computes."""

    def device_counts(self) -> Mapping[Device, int]:
        found = Counter(kind_of(device.platform) for device in jax.devices())
        try:
            found["cpu"] = len(jax.devices("cpu"))
        except RuntimeError:
            # JAX_PLATFORMS=cuda, without cpu, leaves JAX without the CPU.
            found["cpu"] = 0
        return found

    def device_kind(self) -> Device:
        return kind_of(jax.default_backend())

    def why_hidden(self) -> str:
        chosen = os.environ.get("JAX_PLATFORMS", "")
        return f"; JAX_PLATFORMS={chosen} hides all others" if chosen else ""

    def require_full_precision(self) -> Mapping[str, str]:
        # A TPU's default is one product of bfloat16. "highest" takes six, and so has float32's precision.
        jax.config.update("jax_default_matmul_precision", "highest")
        return {"jax_default_matmul_precision": "highest"}

    def require_determinism(self) -> Mapping[str, str]:
        if self.device_kind() != "gpu":
            return {}
        flags = os.environ.get("XLA_FLAGS", "")
        wanted = (f"--{DETERMINISTIC}=true", f"--{DETERMINISTIC}")
        return {DETERMINISTIC: str(any(flag in wanted for flag in flags.split()))}

    def describe_card(self) -> Mapping[str, str]:
        if self.computes_on_cpu():
            return {}
        device = jax.devices()[0]
        return {"name": device.device_kind, "platform": device.client.platform_version}

    def device_peak_bytes(self) -> int | None:
        # JAX keeps the peak of the whole process and cannot reset it.
        if self.computes_on_cpu():
            return None
        peak = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
        return None if peak is None else int(peak)
