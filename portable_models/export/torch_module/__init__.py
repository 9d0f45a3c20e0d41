"""A trainable plain ``torch.nn.Module`` from a Keras model, without Keras."""

from portable_models.export.torch_module.artifact import (
    TorchModuleFolder,
    export_torch_module,
    write_torch_module,
)
from portable_models.export.torch_module.live import to_torch_module
from portable_models.export.torch_module.verification import verify
from portable_models.export.torch_module.weights import load_into_keras

__all__ = [
    "TorchModuleFolder",
    "export_torch_module",
    "load_into_keras",
    "to_torch_module",
    "verify",
    "write_torch_module",
]
