"""OpenVINO IR, by way of a SavedModel; runs in OpenVINO with float32 asked for.

Format: https://docs.openvino.ai/2025/documentation/openvino-ir-format.html. This file imports openvino,
whose format it is. OpenVINO computes in bfloat16 on CPUs that have it unless told otherwise (off by
3e-3), and ``save_model`` halves the weights by default; both are set explicitly here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portable_models.export.signature import Signature
from portable_models.export.targets import example_inputs
from portable_models.export.targets.contract import Array, Opened

if TYPE_CHECKING:
    from portable_models.export.inspection import View

PRECISION = {"INFERENCE_PRECISION_HINT": "f32"}


def write(seen: View, path: Path, source: Path) -> dict[str, Any]:
    """Write the folder ``path`` with ``model.xml`` and ``model.bin``."""
    from portable_models.export.targets.tensorflow_function import write_saved_model

    del source
    with tempfile.TemporaryDirectory() as folder:
        write_saved_model(seen, Path(folder) / "model")
        return _convert(Path(folder) / "model", seen, path)


def write_by_onnx(seen: View, path: Path, source: Path) -> dict[str, Any]:
    """Write the folder ``path`` by way of an ONNX file, which keeps recurrent layers as loops."""
    from portable_models.export.targets import onnx

    with tempfile.TemporaryDirectory() as folder:
        made = onnx.write(seen, Path(folder) / "model.onnx", source)
        written = _convert(Path(folder) / "model.onnx", seen, path)
    return {"versions": {**made["versions"], **written["versions"]}}


def _convert(file: Path, seen: View, path: Path) -> dict[str, Any]:
    import openvino

    model = openvino.convert_model(str(file))
    _name(model.inputs, [tensor.name for tensor in seen.signature.inputs])
    _name(model.outputs, [tensor.name for tensor in seen.signature.outputs])
    path.mkdir()
    openvino.save_model(model, str(path / "model.xml"), compress_to_fp16=False)
    return {"versions": {"openvino": openvino.__version__}}


def _name(ports: Sequence[Any], names: Sequence[str]) -> None:
    """Give every port its one name of the signature.

    The converter keeps names of the serving signature, with a prefix or an index after a colon, and
    gives the ports in no promised order.
    """
    for port in ports:
        known = {name.split(":")[0].removeprefix("serving_default_") for name in port.names}
        found = [name for name in names if name in known]
        if len(found) != 1:
            raise ValueError(f"the converter named a port {sorted(known)}; expected one of {names}")
        port.set_names({found[0]})
        port.node.set_friendly_name(found[0])


def open_artifact(path: Path, signature: Signature) -> Opened:
    """Compile the folder for the CPU, in float32."""
    import openvino

    model = openvino.Core().compile_model(str(path / "model.xml"), "CPU", PRECISION)
    outputs = [tensor.name for tensor in signature.outputs]

    def call(inputs: Sequence[Array]) -> list[Array]:
        named = zip(signature.inputs, inputs, strict=True)
        found = model({tensor.name: value for tensor, value in named})
        return [found[name] for name in outputs]

    return Opened(call, {"openvino": openvino.__version__}, PRECISION)


def example(name: str, signature: Signature) -> str:
    """How to call it with OpenVINO."""
    return f"""\
import numpy as np
import openvino

precision = {{"INFERENCE_PRECISION_HINT": "f32"}}  # else bfloat16 where the CPU has it
model = openvino.Core().compile_model("{name}/model.xml", "CPU", precision)
inputs = {example_inputs.dictionary(signature)}
outputs = {{port.any_name: value for port, value in model(inputs).items()}}
for key, value in outputs.items():
    print(key, value)
"""
