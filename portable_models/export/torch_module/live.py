"""A generated module in this process."""

from __future__ import annotations

import linecache
import sys
import types
from typing import Any

import torch
from torch import nn

from portable_models.export.torch_module.source import Source, generate
from portable_models.export.torch_module.weights import arrays_of


def to_torch_module(model: Any) -> nn.Module:
    """A trainable plain ``torch.nn.Module`` that computes what a Keras model computes.

    The module holds copies of the weights, on the CPU, as live parameters (buffers for statistics) under
    stable names, in Keras's layout; it is in evaluation mode. It needs no Keras: under any backend it is
    the same module, and the Keras model can be dropped.

    Args:
        model: a built Keras model, under any backend.

    Raises:
        RefusedError: a layer cannot be carried; the message names layer, class and reason.
    """
    source = generate(model)
    net = _run(source).build()
    net.load_state_dict(tensors_of(source, model.compute_dtype))
    return net.eval()


def tensors_of(source: Source, floatx: str) -> dict[str, torch.Tensor]:
    """The weights of a generated module as tensors on the CPU."""
    if floatx == "bfloat16":
        # NumPy has no bfloat16; every bfloat16 number is a float32 number.
        found = arrays_of(source, "float32")
        return {
            key: tensor.to(torch.bfloat16) if tensor.is_floating_point() else tensor
            for key, tensor in ((k, torch.from_numpy(v)) for k, v in found.items())
        }
    return {key: torch.from_numpy(value) for key, value in arrays_of(source, floatx).items()}


def _run(source: Source) -> Any:
    """The module object of generated source; its text can be read by ``inspect`` and tracebacks."""
    name = f"portable_models_generated_{len([n for n in sys.modules if 'generated_' in n])}"
    filename = f"<{name}>"
    module = types.ModuleType(name)
    module.__file__ = filename
    sys.modules[name] = module
    lines = source.text.splitlines(keepends=True)
    linecache.cache[filename] = (len(source.text), None, lines, filename)
    exec(compile(source.text, filename, "exec"), vars(module))
    return module
