"""PyTorch ``.pt2`` for inference: ``torch.export`` with the weights as constants.

Format: https://docs.pytorch.org/docs/stable/export.html. To train further, take the ``torch-module`` target.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portable_models.export.signature import Signature
from portable_models.export.targets import example_inputs
from portable_models.export.targets.contract import Array, Opened
from portable_models.export.targets.torch_module import leaves, numbers

if TYPE_CHECKING:
    from portable_models.export.inspection import View


def write(seen: View, path: Path, source: Path) -> dict[str, Any]:
    """Write the ``.pt2`` file: takes a dict of inputs by name, gives a dict of outputs by name."""
    import torch

    del source
    torch.export.save(exported_program(seen), str(path))
    return {"versions": {"torch": torch.__version__}}


def write_by_module(seen: View, path: Path, source: Path) -> dict[str, Any]:
    """Write the ``.pt2`` file by way of the plain ``torch.nn`` module of the ``torch-module`` target."""
    import torch

    from portable_models.export.targets.torch_module import load_folder, write

    class Listed(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, net: Any) -> None:
            super().__init__()
            self.net = net

        def forward(self, inputs: list[Any]) -> list[Any]:
            return leaves(self.net(*inputs))

    with tempfile.TemporaryDirectory() as folder:
        made = write(seen, Path(folder) / "module", source)
        net = Listed(load_folder(Path(folder) / "module").load()).eval()
        torch.export.save(exported_program(seen, net=net), str(path))
    return made


def exported_program(seen: View, *, flat: bool = False, net: Any = None) -> Any:
    """The ``torch.export.ExportedProgram`` of the inference.

    Args:
        seen: the model.
        net: a module that computes the same from a list of inputs; by default the Keras model.
        flat: take the inputs one by one and give a tuple of outputs, where the names do not matter.
    """
    import torch

    from portable_models.export.probes import probes

    names = [tensor.name for tensor in seen.signature.inputs]
    run = seen if net is None else net

    class Exported(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, inputs: dict[str, Any]) -> dict[str, Any]:
            return seen.named(run([inputs[name] for name in names]))

    class Flat(torch.nn.Module):  # type: ignore[misc]
        def forward(self, *inputs: Any) -> tuple[Any, ...]:
            return tuple(run(list(inputs)))

    drawn = list(map(torch.from_numpy, probes(seen.signature)[0].inputs))
    free = [
        {axis: torch.export.Dim.DYNAMIC for axis, size in enumerate(tensor.shape) if size is None}
        for tensor in seen.signature.inputs
    ]
    with torch.no_grad():
        if flat:
            return torch.export.export(
                Flat(), tuple(drawn), dynamic_shapes=(tuple(free),), strict=False
            )
        return torch.export.export(
            Exported(),
            (dict(zip(names, drawn, strict=True)),),
            dynamic_shapes=(dict(zip(names, free, strict=True)),),
            strict=False,
        )


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
        return [numbers(found[name]) for name in outputs]

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
