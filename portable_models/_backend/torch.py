"""PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from portable_models._backend.base import Backend, Device


class TorchBackend(Backend):
    """PyTorch, eager."""

    name = "torch"

    def versions(self) -> Mapping[str, str]:
        return {"torch": torch.__version__}

    def device_counts(self) -> Mapping[Device, int]:
        return {"cpu": 1, "gpu": torch.cuda.device_count(), "tpu": 0}

    def bound_threads(self, count: int) -> None:
        torch.set_num_threads(count)

    def require_full_precision(self) -> Mapping[str, str]:
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.set_float32_matmul_precision("highest")
        return {"float32_matmul_precision": torch.get_float32_matmul_precision(), "cudnn_tf32": "False"}

    def is_traced(self, tensor: Any) -> bool:
        return bool(tensor.device.type == "meta" or torch.compiler.is_compiling())


BACKEND = TorchBackend()
