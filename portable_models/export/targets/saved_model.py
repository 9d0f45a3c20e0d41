"""TensorFlow SavedModel: a serving signature with named inputs and outputs, and live variables.

Format: https://www.tensorflow.org/guide/saved_model. This file imports TensorFlow, whose format it is.
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
    """Write the SavedModel folder ``path``."""
    import tensorflow as tf

    from portable_models.export.targets.tensorflow_function import write_saved_model

    del source
    write_saved_model(seen, path)
    return {"versions": {"tensorflow": tf.__version__}}


def open_artifact(path: Path, signature: Signature) -> Opened:
    """Load the folder with TensorFlow alone."""
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(False)
    loaded = tf.saved_model.load(str(path))
    serve = loaded.signatures["serving_default"]
    outputs = [tensor.name for tensor in signature.outputs]

    def run(inputs: Sequence[Array]) -> dict[str, Any]:
        named = zip(signature.inputs, inputs, strict=True)
        return dict(serve(**{tensor.name: tf.constant(value) for tensor, value in named}))

    def call(inputs: Sequence[Array]) -> list[Array]:
        found = run(inputs)
        return [found[name].numpy() for name in outputs]

    def gradients(inputs: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
        with tf.GradientTape() as tape:
            found = run(inputs)
            total = tf.add_n(
                [
                    tf.reduce_sum(found[name] * cotangent)
                    for name, cotangent in zip(outputs, cotangents, strict=True)
                ]
            )
        weights = list(loaded.trainable_variables)
        values = tape.gradient(total, weights, unconnected_gradients="zero")
        return [tf.convert_to_tensor(value).numpy() for value in values]

    return Opened(
        call,
        {"tensorflow": tf.__version__},
        {"tensor_float_32_execution": "False"},
        gradients,
    )


def example(name: str, signature: Signature) -> str:
    """How to call it with TensorFlow."""
    return f"""\
import numpy as np
import tensorflow as tf

model = tf.saved_model.load({name!r})
inputs = {example_inputs.dictionary(signature)}
outputs = model.signatures["serving_default"](**{{k: tf.constant(v) for k, v in inputs.items()}})
for key, value in outputs.items():
    print(key, value.numpy())
"""
