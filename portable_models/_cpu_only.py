"""The variables by which a child process computes on the CPU, whatever accelerators there are."""

from __future__ import annotations

CPU_ONLY = {
    "CUDA_VISIBLE_DEVICES": "",
    "HIP_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
    # On PyTorch, Keras would take MPS or XPU where it finds one.
    "KERAS_TORCH_DEVICE": "cpu",
}
"""Variable -> value, to be set before a framework is imported."""
