"""A model as a ``tf.function`` with named inputs and outputs and a free batch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portable_models.export.inspection import View


def specifications(seen: View) -> list[Any]:
    """One ``tf.TensorSpec`` for each input, with its name."""
    import tensorflow as tf

    return [
        tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name)
        for tensor in seen.signature.inputs
    ]


def serving_function(seen: View) -> Any:
    """``tf.function``: inputs by position or name -> dict of outputs by name."""
    import tensorflow as tf

    def serve(*inputs: Any) -> dict[str, Any]:
        return seen.named(seen(inputs))

    return tf.function(serve, input_signature=specifications(seen))


def frozen_graph(seen: View) -> tuple[Any, dict[str, str], dict[str, str]]:
    """:func:`serving_function` as a graph in which everything that it captured is a constant.

    tf2onnx freezes variables only: of other tensors that a function captured (the statistics of
    Normalization, constant position embeddings) it makes inputs of the graph.

    Returns:
        The ``GraphDef``, and the names of its inputs and outputs -> their names in the signature.
    """
    import tensorflow as tf
    import tf2onnx

    concrete = serving_function(seen).get_concrete_function()
    captured = {
        inner.name: outer.numpy()
        for outer, inner in concrete.graph.captures
        if outer.dtype not in (tf.resource, tf.variant)
    }
    given = [
        tensor.name
        for tensor in concrete.inputs
        if tensor.dtype != tf.resource and tensor.name not in captured
    ]
    inputs = dict(zip(given, (tensor.name for tensor in seen.signature.inputs), strict=True))
    outputs = {
        concrete.structured_outputs[tensor.name].name: tensor.name
        for tensor in seen.signature.outputs
    }
    frozen = tf2onnx.tf_loader.from_function(concrete, [*inputs, *captured], list(outputs))
    for node in frozen.node:
        if node.op == "Placeholder" and f"{node.name}:0" in captured:
            value = captured[f"{node.name}:0"]
            node.op = "Const"
            for name in list(node.attr):
                if name != "dtype":
                    del node.attr[name]
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    return frozen, inputs, outputs


def write_saved_model(seen: View, path: Path) -> None:
    """Write a SavedModel whose ``serving_default`` is :func:`serving_function`.

    Keras's own archive does the tracking of variables and lookup tables
    (https://keras.io/api/models/model_saving_apis/export/).
    """
    import keras

    archive = keras.export.ExportArchive()
    archive.track(seen.model)
    archive.add_endpoint(
        "serve", lambda *inputs: seen.named(seen(inputs)), input_signature=specifications(seen)
    )
    archive.write_out(str(path), verbose=False)
