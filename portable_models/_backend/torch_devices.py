"""The devices of PyTorch, the one that Keras computes on, and the generators that draw there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch

from portable_models._backend.devices import Device, Devices, kind_of
from portable_models._keras.operations import get_operations


class TorchDevices(Devices):
    """Devices as PyTorch sees them; Keras picks one, or ``KERAS_TORCH_DEVICE`` names it."""

    def device_counts(self) -> Mapping[Device, int]:
        return {"cpu": 1, "gpu": torch.cuda.device_count(), "tpu": 0}

    def device_kind(self) -> Device:
        return kind_of(computing_device().type)

    def why_hidden(self) -> str:
        chosen = os.environ.get("KERAS_TORCH_DEVICE")
        return f"; KERAS_TORCH_DEVICE={chosen} says where Keras computes" if chosen else ""

    def require_full_precision(self) -> Mapping[str, str]:
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        # Sums of products in half precision are kept in float32.
        torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
        torch.set_float32_matmul_precision("highest")
        return {
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
            "cudnn_tf32": "False",
            "reduced_precision_reduction": "False",
        }

    def require_determinism(self) -> Mapping[str, str]:
        if self.device_kind() != "gpu":
            return {}
        # Where PyTorch has no deterministic version of an operation, it warns and the training goes on.
        # Replicas then measure what that operation moves.
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
        return {
            "use_deterministic_algorithms": "True (warns where there is none)",
            "cudnn_deterministic": "True",
            "cudnn_benchmark": "False",
            "CUBLAS_WORKSPACE_CONFIG": os.environ.get("CUBLAS_WORKSPACE_CONFIG", "not set"),
        }

    def describe_card(self) -> Mapping[str, str]:
        if self.computes_on_cpu():
            return {}
        if self.device_kind() != "gpu":
            return {"name": computing_device().type}
        found = {
            "name": torch.cuda.get_device_name(),
            "cuda": torch.version.cuda,
            "hip": torch.version.hip,
            "cudnn": torch.backends.cudnn.version(),
        }
        return {name: str(value) for name, value in found.items() if value is not None}

    def device_peak_bytes(self) -> int | None:
        return int(torch.cuda.max_memory_allocated()) if self.device_kind() == "gpu" else None

    def reset_device_peak(self) -> None:
        if self.device_kind() == "gpu":
            torch.cuda.reset_peak_memory_stats()


def computing_device() -> torch.device:
    """Where Keras makes tensors now: ``KERAS_TORCH_DEVICE``, else CUDA, MPS or XPU where there is one."""
    return torch.device(get_operations("core").get_device())


def _device_generator() -> Any:
    """The module with the generator of the device (``torch.cuda``, for instance); None on the CPU."""
    kind = computing_device().type
    return None if kind == "cpu" else torch.get_device_module(kind)


def generator_states() -> bytes:
    """The state of PyTorch's generator of the CPU and, off the CPU, that of the device after it."""
    state = torch.get_rng_state()
    device = _device_generator()
    if device is not None:
        state = torch.cat([state, device.get_rng_state().cpu()])
    return bytes(state.numpy())


def set_generator_states(state: bytes) -> None:
    """Set the generators to states that were read before, on a device of the same kind.

    Raises:
        ValueError: the states are of other generators.
        RuntimeError: PyTorch does not take a state.
    """
    held = torch.frombuffer(bytearray(state), dtype=torch.uint8)
    ordinary = torch.get_rng_state().numel()
    device = _device_generator()
    expected = ordinary + (0 if device is None else device.get_rng_state().numel())
    if held.numel() != expected:
        raise ValueError(
            f"the generators on {computing_device().type} have a state of {expected} bytes; this one has "
            f"{held.numel()}, so it was saved on another kind of device"
        )
    torch.set_rng_state(held[:ordinary].clone())
    if device is not None:
        device.set_rng_state(held[ordinary:].clone())
