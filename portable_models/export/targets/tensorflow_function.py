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
