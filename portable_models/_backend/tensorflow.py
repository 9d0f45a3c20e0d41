"""TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from portable_models._backend.base import Backend, Device


class TensorFlowBackend(Backend):
    """TensorFlow, eager and through ``tf.function``."""

    name = "tensorflow"

    def versions(self) -> Mapping[str, str]:
        return {"tensorflow": tf.__version__}

    def device_counts(self) -> Mapping[Device, int]:
        return {kind.lower(): len(tf.config.list_physical_devices(kind)) for kind in ("CPU", "GPU", "TPU")}

    def bound_threads(self, count: int) -> None:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(1)

    def require_full_precision(self) -> Mapping[str, str]:
        tf.config.experimental.enable_tensor_float_32_execution(False)
        return {"tensor_float_32_execution": "False"}

    def is_traced(self, tensor: Any) -> bool:
        return bool(tf.is_symbolic_tensor(tensor))


BACKEND = TensorFlowBackend()
