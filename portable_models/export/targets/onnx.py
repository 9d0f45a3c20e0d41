"""ONNX, by way of TensorFlow and tf2onnx; runs in ONNX Runtime.

Format: https://onnx.ai/onnx/intro/. This file imports onnx and onnxruntime, whose format it is.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portable_models.export.signature import Signature
from portable_models.export.targets import example_inputs
from portable_models.export.targets.contract import Array, Opened

if TYPE_CHECKING:
    from portable_models.export.inspection import View

OPSET = 18
"""The newest that tf2onnx 1.17 writes."""


def write(seen: View, path: Path, source: Path) -> dict[str, Any]:
    """Write the ``.onnx`` file and check it with ONNX's own checker.

    Raises:
        ValueError: tf2onnx wrote a graph that ONNX's checker refuses.
    """
    import onnx
    import tf2onnx

    from portable_models.export.targets.tensorflow_function import serving_function, specifications

    del source
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    graph, _ = tf2onnx.convert.from_function(
        serving_function(seen), input_signature=specifications(seen), opset=OPSET
    )
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, str(path))
    return {"versions": {"tf2onnx": tf2onnx.__version__, "onnx": onnx.__version__}}


def open_artifact(path: Path, signature: Signature) -> Opened:
    """Open the file in ONNX Runtime, on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    outputs = [tensor.name for tensor in signature.outputs]

    def call(inputs: Sequence[Array]) -> list[Array]:
        named = zip(signature.inputs, inputs, strict=True)
        return list(session.run(outputs, {tensor.name: value for tensor, value in named}))

    return Opened(
        call, {"onnxruntime": onnxruntime.__version__}, {"provider": "CPUExecutionProvider"}
    )


def example(name: str, signature: Signature) -> str:
    """How to call it with ONNX Runtime."""
    return f"""\
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession({name!r}, providers=["CPUExecutionProvider"])
inputs = {example_inputs.dictionary(signature)}
names = [output.name for output in session.get_outputs()]
outputs = dict(zip(names, session.run(names, inputs)))
for key, value in outputs.items():
    print(key, value)
"""
