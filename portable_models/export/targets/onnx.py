"""ONNX, by way of TensorFlow and tf2onnx; runs in ONNX Runtime.

Format: https://onnx.ai/onnx/intro/. This file imports onnx and onnxruntime, whose format it is.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

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
        ValueError: tf2onnx wrote a graph that ONNX's checker refuses, or one that takes other inputs.
    """
    import onnx
    import tf2onnx

    from portable_models.export.targets.tensorflow_function import frozen_graph

    del source
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    frozen, inputs, outputs = frozen_graph(seen)
    graph, _ = tf2onnx.convert.from_graph_def(
        frozen,
        input_names=list(inputs),
        output_names=list(outputs),
        opset=OPSET,
        custom_op_handlers={"Erfc": (_erfc, [])},
        tensors_to_rename={**inputs, **outputs},
    )
    check_graph(graph, seen)
    onnx.save(graph, str(path))
    return {"versions": {"tf2onnx": tf2onnx.__version__, "onnx": onnx.__version__}}


def check_graph(graph: Any, seen: View) -> None:
    """Hold a graph against ONNX's own checker and the signature's inputs.

    Raises:
        ValueError: it takes other inputs; ONNX's checker raises its own errors.
    """
    import onnx

    onnx.checker.check_model(graph, full_check=True)
    found = {port.name for port in graph.graph.input}
    wanted = {tensor.name for tensor in seen.signature.inputs}
    if found != wanted:
        raise ValueError(
            f"the converter wrote a graph with the inputs {sorted(found)}; expected {sorted(wanted)}"
        )


def _erfc(context: Any, node: Any, name: str, arguments: Any) -> None:
    """TensorFlow's Erfc, which gelu is made of, as 1 - Erf: neither tf2onnx nor ONNX has it.

    ONNX operators: https://onnx.ai/onnx/operators/. Can go when tf2onnx writes Erfc. What cancels for large
    inputs is below one unit in the last place of 1, and gelu multiplies it by the input.
    """
    del name, arguments
    (source,), (output,) = node.input, node.output
    shape, dtype = context.get_shape(output), context.get_dtype(output)
    context.remove_node(node.name)
    one = context.make_const(f"{node.name}/one", np.ones((), np.float32))
    erf = context.make_node("Erf", [source], shapes=[shape], dtypes=[dtype])
    context.make_node(
        "Sub",
        [one.output[0], erf.output[0]],
        name=node.name,
        outputs=[output],
        shapes=[shape],
        dtypes=[dtype],
    )


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
