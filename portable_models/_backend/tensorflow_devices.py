"""The devices of TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Mapping

import tensorflow as tf

from portable_models._backend.devices import Device, Devices


def computing_kind() -> Device:
    """``"gpu"`` where TensorFlow sees one, for it places operations there by itself; else ``"cpu"``.

    On a TPU it computes only inside a ``TPUStrategy``, which Keras's own training does not enter.
    """
    return "gpu" if tf.config.get_visible_devices("GPU") else "cpu"


class TensorFlowDevices(Devices):
    """Devices as TensorFlow sees them; it places operations on the first accelerator by itself."""

    def device_counts(self) -> Mapping[Device, int]:
        return {
            kind.lower(): len(tf.config.get_visible_devices(kind)) for kind in ("CPU", "GPU", "TPU")
        }

    def device_kind(self) -> Device:
        return computing_kind()

    def require_full_precision(self) -> Mapping[str, str]:
        tf.config.experimental.enable_tensor_float_32_execution(False)
        return {"tensor_float_32_execution": "False"}

    def require_determinism(self) -> Mapping[str, str]:
        if self.device_kind() != "gpu":
            return {}
        # TensorFlow reads the variable when its first operation runs, and then does not try out cuDNN's
        # algorithms either. enable_op_determinism() would also forbid draws without a seed.
        return {"TF_DETERMINISTIC_OPS": os.environ.get("TF_DETERMINISTIC_OPS", "not set")}

    def describe_card(self) -> Mapping[str, str]:
        if self.computes_on_cpu():
            return {}
        device = tf.config.get_visible_devices("GPU")[0]
        details = tf.config.experimental.get_device_details(device)
        build = tf.sysconfig.get_build_info()
        found = {
            "name": details.get("device_name", device.name),
            "cuda": build.get("cuda_version"),
            "cudnn": build.get("cudnn_version"),
        }
        return {name: str(value) for name, value in found.items() if value is not None}

    def device_peak_bytes(self) -> int | None:
        if self.device_kind() != "gpu":
            return None
        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])

    def reset_device_peak(self) -> None:
        if self.device_kind() == "gpu":
            tf.config.experimental.reset_memory_stats("GPU:0")
