"""How a model is called, for a model of any kind."""

from __future__ import annotations

from typing import Any

import keras

from portable_models._keras.graph import find_functional
from portable_models._keras.layers import all_layers
from portable_models.export.inspection import View, view
from portable_models.export.signature import Signature, Tensor


def look_at(model: Any) -> View:
    """The inputs of a model, and how to call it with a flat list of them.

    Raises:
        ExportError: the model was never built or called, so its inputs are not known.
    """
    functional = find_functional(model)
    if functional is None:
        return view(model)
    limit = min(
        (e.input_dim for e in all_layers(model) if isinstance(e, keras.layers.Embedding)),
        default=None,
    )
    tensors = [
        Tensor(f"input_{index}", (None, *tensor.shape[1:]), tensor.dtype, limit)
        for index, tensor in enumerate(functional.inputs)
    ]
    return View(model, Signature(tuple(tensors), ()), functional.input)
