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


def frozen_function(seen: View) -> Any:
    """:func:`serving_function` with the tensors that it captured as constants of its graph.

    tf2onnx makes inputs of the graph of what a function captured and is no variable: statistics of
    Normalization, constant position embeddings.
    """
    import tensorflow as tf

    concrete = serving_function(seen).get_concrete_function()
    captured = [
        (inner, outer)
        for outer, inner in concrete.graph.captures
        if outer.dtype not in (tf.resource, tf.variant)
    ]
    if not captured:
        return serving_function(seen)
    names = [tensor.name for tensor in seen.signature.outputs]
    variables = [
        (inner, outer) for outer, inner in concrete.graph.captures if outer.dtype == tf.resource
    ]
    definition = concrete.graph.as_graph_def()
    structured = concrete.structured_outputs

    def serve(*inputs: Any) -> dict[str, Any]:
        given = {tensor.name: value for tensor, value in zip(concrete.inputs, inputs, strict=False)}
        constants = {inner.name: tf.constant(outer.numpy()) for inner, outer in captured}
        graph = tf.compat.v1.get_default_graph()
        handles = {inner.name: graph.capture(outer) for inner, outer in variables}
        found = tf.graph_util.import_graph_def(
            definition,
            input_map={**given, **constants, **handles},
            return_elements=[structured[name].name for name in names],
            name="",
        )
        return dict(zip(names, found, strict=True))

    return tf.function(serve, input_signature=specifications(seen))


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
