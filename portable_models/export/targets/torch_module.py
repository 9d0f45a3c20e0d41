"""PyTorch, trainable: a folder with plain ``torch.nn`` source and its weights as safetensors.

What it writes is made by :mod:`portable_models.export.torch_module`; this file fits it among the targets.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portable_models.export.signature import Signature
from portable_models.export.targets import example_inputs
from portable_models.export.targets.contract import Array, Opened

if TYPE_CHECKING:
    from portable_models.export.inspection import View


def write(seen: View, path: Path, source: Path) -> dict[str, Any]:
    """Write the folder ``path``."""
    import torch

    from portable_models.export.torch_module.artifact import write_torch_module

    del source
    write_torch_module(seen.model, path)
    return {"versions": {"torch": torch.__version__}}


def open_artifact(path: Path, signature: Signature) -> Opened:
    """Import the folder's own ``model.py``."""
    import torch

    del signature
    torch.set_float32_matmul_precision("highest")
    net = load_folder(path).load()
    described = json.loads((path / "architecture.json").read_text(encoding="utf-8"))

    def run(inputs: Sequence[Array]) -> list[Any]:
        return leaves(net(*(torch.from_numpy(value) for value in inputs)))

    def call(inputs: Sequence[Array]) -> list[Array]:
        with torch.no_grad():
            return [numbers(value) for value in run(inputs)]

    def gradients(inputs: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        pairs = zip(run(inputs), map(torch.from_numpy, cotangents), strict=True)
        total = sum((value * cotangent).sum() for value, cotangent in pairs)
        weights = [net.get_parameter(key) for key in described["trainable"] if key is not None]
        found = iter(torch.autograd.grad(total, weights, materialize_grads=True))
        # A weight that the outputs do not depend on is no part of the module; its gradient is zero.
        return [
            torch.zeros(()).numpy() if key is None else next(found).numpy()
            for key in described["trainable"]
        ]

    return Opened(
        call, {"torch": torch.__version__}, {"float32_matmul_precision": "highest"}, gradients
    )


def numbers(value: Any) -> Array:
    """A tensor as NumPy's, which has no bfloat16."""
    array: Array = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
    return array


def load_folder(path: Path) -> Any:
    """The folder's own ``model.py`` as a module object.

    Raises:
        ImportError: there is none.
    """
    specification = importlib.util.spec_from_file_location("exported_module", path / "model.py")
    if specification is None or specification.loader is None:
        raise ImportError(f"{path / 'model.py'} cannot be imported")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def leaves(value: Any) -> list[Any]:
    """Flat outputs, dicts by sorted key as Keras flattens them."""
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def example(name: str, signature: Signature) -> str:
    """How to call it with PyTorch; ``net.train()`` and any optimizer train it further."""
    made = ", ".join(
        f"torch.from_numpy({value})" for value in example_inputs.expressions(signature)
    )
    return f"""\
import sys
import numpy as np
import torch

sys.path.insert(0, {name!r})
import model  # the artifact's own model.py

net = model.load()  # net.train() and any optimizer of torch train it further
outputs = net({made})
print(outputs)
"""
