"""The parts of built MultiHeadAttention and GroupQueryAttention layers."""

from __future__ import annotations

from typing import Any

_PROJECTIONS = {
    "query": "_query_dense",
    "key": "_key_dense",
    "value": "_value_dense",
    "attention_output": "_output_dense",
    "gate": "_gate_dense",
}
"""The name of each dense layer -> the attribute that holds it."""


def list_projections(layer: Any) -> dict[str, Any]:
    """List the dense layers of a built attention layer by name; ``gate`` only if the layer has one.

    Needed to write the layer as code. MultiHeadAttention has public attributes for all but the gate;
    GroupQueryAttention has none
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/layers/attention/grouped_query_attention.py).
    """
    found = {name: getattr(layer, attribute, None) for name, attribute in _PROJECTIONS.items()}
    return {name: dense for name, dense in found.items() if dense is not None}


def get_equations(layer: Any) -> tuple[str, str]:
    """Return the einsum equations of a built attention layer: for the scores, and for the output.

    Needed to write the layer as code. The equations depend on the rank of the inputs and on the attention
    axes. Nothing public returns them
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/layers/attention/multi_head_attention.py).
    """
    return layer._dot_product_equation, layer._combine_equation


def get_sliding_window(layer: Any) -> int | None:
    """Return how many neighbours an attention layer attends to; None for all.

    Needed to refuse such layers. GroupQueryAttention has a public attribute. MultiHeadAttention has only
    ``get_config``, which also serializes the initializers and warns if one is a lambda
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/layers/attention/multi_head_attention.py).
    """
    window: int | None = (
        layer.sliding_window if hasattr(layer, "sliding_window") else layer._sliding_window
    )
    return window
