"""LiteRT (TensorFlow Lite), by way of a SavedModel, with built-in operations only.

Format: https://ai.google.dev/edge/litert. This file imports TensorFlow for its converter and ai_edge_litert
for the runtime. Flex operations are left out on purpose: the plain LiteRT runtime cannot run them.
"""

from __future__ import annotations

import importlib.metadata
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portable_models.export.signature import Signature
from portable_models.export.targets import example_inputs
from portable_models.export.targets.contract import Array, Opened

if TYPE_CHECKING:
    from portable_models.export.inspection import View


def write(seen: View, path: Path, source: Path) -> dict[str, Any]:
    """Write the ``.tflite`` file, weights in float32."""
    import tensorflow as tf

    from portable_models.export.targets.tensorflow_function import write_saved_model

    del source
    with tempfile.TemporaryDirectory() as folder:
        write_saved_model(seen, Path(folder) / "model")
        converter = tf.lite.TFLiteConverter.from_saved_model(
            str(Path(folder) / "model"), signature_keys=["serving_default"]
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        path.write_bytes(converter.convert())
    return {"versions": {"tensorflow": tf.__version__}}


def open_artifact(path: Path, signature: Signature) -> Opened:
    """Open the file in the LiteRT interpreter."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(path)).get_signature_runner("serving_default")
    outputs = [tensor.name for tensor in signature.outputs]

    def call(inputs: Sequence[Array]) -> list[Array]:
        named = zip(signature.inputs, inputs, strict=True)
        found = runner(**{tensor.name: value for tensor, value in named})
        return [found[name] for name in outputs]

    return Opened(call, {"ai-edge-litert": importlib.metadata.version("ai-edge-litert")})


def example(name: str, signature: Signature) -> str:
    """How to call it with LiteRT."""
    return f"""\
import numpy as np
from ai_edge_litert.interpreter import Interpreter

model = Interpreter({name!r}).get_signature_runner("serving_default")
inputs = {example_inputs.dictionary(signature)}
outputs = model(**inputs)
for key, value in outputs.items():
    print(key, value)
"""
