"""ONNX by way of PyTorch's exporter: the second way, for what tf2onnx cannot convert.

https://docs.pytorch.org/docs/stable/onnx.html. This file imports torch and onnx.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portable_models.export.targets.onnx import OPSET, check_graph

if TYPE_CHECKING:
    from portable_models.export.inspection import View


def write(seen: View, path: Path, source: Path) -> dict[str, Any]:
    """Write the ``.onnx`` file with PyTorch's exporter.

    https://docs.pytorch.org/docs/stable/onnx.html

    Raises:
        ValueError: ONNX's checker refuses the graph, or it takes other inputs.
    """
    import onnx
    import torch

    from portable_models.export.targets.torch_pt2 import exported_program

    del source
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    program = torch.onnx.export(
        exported_program(seen, flat=True), dynamo=True, opset_version=OPSET, verbose=False
    )
    graph = program.model_proto
    _rename(graph, seen)
    check_graph(graph, seen)
    onnx.save(graph, str(path))
    return {"versions": {"torch": torch.__version__, "onnx": onnx.__version__}}


def _rename(graph: Any, seen: View) -> None:
    """Give inputs and outputs the names of the signature: the exporter makes up its own."""
    new = {
        port.name: tensor.name
        for ports, tensors in (
            (graph.graph.input, seen.signature.inputs),
            (graph.graph.output, seen.signature.outputs),
        )
        for port, tensor in zip(ports, tensors, strict=True)
    }
    taken = {name for name in new.values() if name not in new}

    def renamed(name: str) -> str:
        return new.get(name, f"{name}_inner" if name in taken else name)

    for node in graph.graph.node:
        node.input[:] = map(renamed, node.input)
        node.output[:] = map(renamed, node.output)
    for value in (*graph.graph.input, *graph.graph.output, *graph.graph.value_info):
        value.name = renamed(value.name)
    for value in graph.graph.initializer:
        value.name = renamed(value.name)
