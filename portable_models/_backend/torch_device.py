"""The device that Keras computes on with PyTorch, and the generators that draw there."""

from __future__ import annotations

from typing import Any

import torch

from portable_models._keras.operations import get_operations


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
            f"the generators on {computing_device().type} have a state of {expected} bytes, and this one is of "
            f"{held.numel()}: it was saved on another device"
        )
    torch.set_rng_state(held[:ordinary].clone())
    if device is not None:
        device.set_rng_state(held[ordinary:].clone())
