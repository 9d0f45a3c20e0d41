"""PyTorch ``.pt2`` for inference: ``torch.export`` with the weights as constants.

Format: https://docs.pytorch.org/docs/stable/export.html. To train further, take the ``torch-module`` target.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portable_models.export.signature import Signature
from portable_models.export.targets import example_inputs
from portable_models.export.targets.contract import Array, Opened

if TYPE_CHECKING:
    from portable_models.export.inspection import View


def write(seen: View, path: Path, source: Path) -> dict[str, Any]:
    """Write the ``.pt2`` file: takes a dict of inputs by name, gives a dict of outputs by name."""
    import torch

    from portable_models.export.probes import probes

    del source

    class Exported(torch.nn.Module):  # type: ignore[misc]
        def forward(self, inputs: dict[str, Any]) -> dict[str, Any]:
            return seen.named(seen([inputs[tensor.name] for tensor in seen.signature.inputs]))

    inputs = {
        tensor.name: torch.from_numpy(value)
        for tensor, value in zip(
            seen.signature.inputs, probes(seen.signature)[0].inputs, strict=True
        )
    }
    free = {
        tensor.name: {
            axis: torch.export.Dim.DYNAMIC for axis, size in enumerate(tensor.shape) if size is None
        }
        for tensor in seen.signature.inputs
    }
    with torch.no_grad():
        program = torch.export.export(Exported(), (inputs,), dynamic_shapes=(free,), strict=False)
    torch.export.save(program, str(path))
    return {"versions": {"torch": torch.__version__}}


def open_artifact(path: Path, signature: Signature) -> Opened:
    """Load the file with PyTorch alone."""
    import torch

    torch.set_float32_matmul_precision("highest")
    module = torch.export.load(str(path)).module()
    outputs = [tensor.name for tensor in signature.outputs]

    def call(inputs: Sequence[Array]) -> list[Array]:
        named = zip(signature.inputs, inputs, strict=True)
        with torch.no_grad():
            found = module({tensor.name: torch.from_numpy(value) for tensor, value in named})
        return [found[name].numpy() for name in outputs]

    return Opened(call, {"torch": torch.__version__}, {"float32_matmul_precision": "highest"})


def example(name: str, signature: Signature) -> str:
    """How to call it with PyTorch."""
    return f"""\
import numpy as np
import torch

model = torch.export.load({name!r}).module()
inputs = {example_inputs.dictionary(signature)}
with torch.no_grad():
    outputs = model({{key: torch.from_numpy(value) for key, value in inputs.items()}})
for key, value in outputs.items():
    print(key, value.numpy())
"""
