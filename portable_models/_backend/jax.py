"""JAX."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import jax
import jaxlib

from portable_models._backend.base import Backend, Device


class JaxBackend(Backend):
    """JAX, through XLA."""

    name = "jax"

    def versions(self) -> Mapping[str, str]:
        return {"jax": jax.__version__, "jaxlib": jaxlib.__version__}

    def device_counts(self) -> Mapping[Device, int]:
        return Counter(device.platform for device in jax.devices()) | Counter(
            {"cpu": len(jax.devices("cpu"))}
        )

    def bound_threads(self, count: int) -> None:
        # XLA reads its thread pool's size when the CPU client is made, from the environment that
        # the parent process has set (backends_matrix.environment); nothing can be changed here.
        del count

    def require_full_precision(self) -> Mapping[str, str]:
        jax.config.update("jax_default_matmul_precision", "highest")
        return {"jax_default_matmul_precision": "highest"}

    def is_traced(self, tensor: Any) -> bool:
        return isinstance(tensor, jax.core.Tracer)


BACKEND = JaxBackend()
