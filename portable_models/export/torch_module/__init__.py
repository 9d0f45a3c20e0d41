"""A trainable plain ``torch.nn.Module`` from a Keras model, without Keras."""

from portable_models.export.torch_module.live import to_torch_module
from portable_models.export.torch_module.weights import load_into_keras

__all__ = ["load_into_keras", "to_torch_module"]
