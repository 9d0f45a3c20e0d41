"""Translations of recurrent and attention layers, and of layers that wrap another."""

from __future__ import annotations

from typing import Any

from keras import layers

from portable_models._keras.attention import get_equations, get_sliding_window, list_projections
from portable_models.export.torch_module.rendering import arguments, literal
from portable_models.export.torch_module.translation import (
    Context,
    Translation,
    Translator,
    constructor,
    own_weights,
    prefixed,
    require,
)


def _cell(layer: Any, context: Context) -> Translation:
    kind = type(layer)
    require(
        layer, kind in _CELLS, f"a cell of class {kind.__name__} is not carried; use a built-in one"
    )
    values: dict[str, Any] = {
        "use_bias": layer.bias is not None,
        "dropout": layer.dropout,
        "recurrent_dropout": layer.recurrent_dropout,
        "mask_count": getattr(layer, "dropout_mask_count", None) or 1,
    }
    first = [*map(literal, (layer.kernel.shape[0], layer.units))]
    first.append(context.activation(layer.activation) or "linear")
    if kind is not layers.SimpleRNNCell:
        first.append(context.activation(layer.recurrent_activation) or "linear")
    if kind is layers.GRUCell:
        values["reset_after"] = bool(layer.reset_after)
    defaults = {
        "use_bias": True,
        "dropout": 0.0,
        "recurrent_dropout": 0.0,
        "mask_count": 1,
        "reset_after": True,
    }
    made = constructor(kind.__name__, *first, defaults=defaults, **values)
    return Translation(made, own_weights(layer, "kernel", "recurrent_kernel", "bias"))


_CELLS = (layers.SimpleRNNCell, layers.LSTMCell, layers.GRUCell)


def _recurrent(layer: Any, context: Context) -> Translation:
    require(
        layer,
        not layer.stateful,
        "it keeps its state between calls (stateful=True); build it with stateful=False",
    )
    cell = context.child(layer.cell)
    made = constructor(
        "RNN",
        cell.constructor,
        return_sequences=layer.return_sequences,
        return_state=layer.return_state,
        go_backwards=layer.go_backwards,
        zero_output_for_mask=layer.zero_output_for_mask,
        defaults=dict.fromkeys(
            ("return_sequences", "return_state", "go_backwards", "zero_output_for_mask"), False
        ),
    )
    return Translation(made, prefixed("cell", cell.weights))


def _bidirectional(layer: Any, context: Context) -> Translation:
    forward, backward = (
        context.child(child) for child in (layer.forward_layer, layer.backward_layer)
    )
    for child in (forward, backward):
        require(layer, child.constructor.startswith("RNN("), "it wraps no recurrent layer")
    made = constructor(
        "Bidirectional",
        forward.constructor,
        backward.constructor,
        merge_mode=layer.merge_mode,
        defaults={"merge_mode": "concat"},
    )
    weights = prefixed("forward_layer", forward.weights)
    return Translation(made, weights | prefixed("backward_layer", backward.weights))


def _time_distributed(layer: Any, context: Context) -> Translation:
    child = context.child(layer.layer)
    made = constructor(
        "TimeDistributed",
        child.constructor,
        takes_training=context.takes_training(child.constructor),
        defaults={"takes_training": False},
    )
    return Translation(made, prefixed("layer", child.weights))


def _multi_head(layer: Any, context: Context) -> Translation:
    made, weights = _projections(layer, context)
    scores, output = get_equations(layer)
    made |= {
        "key_dim": literal(layer.key_dim),
        "scores_equation": literal(scores),
        "output_equation": literal(output),
    }
    if layer.dropout:
        made["dropout"] = literal(layer.dropout)
    if len(layer.attention_axes) > 1:
        made["attention_rank"] = literal(len(layer.attention_axes))
    return Translation(_keywords("MultiHeadAttention", made), weights)


def _grouped_query(layer: Any, context: Context) -> Translation:
    made, weights = _projections(layer, context)
    contraction, output = get_equations(layer)
    query, key_and_rest = contraction.split(",")
    key, scores = key_and_rest.split("->")
    made |= {
        "key_dim": literal(layer.head_dim),
        # Keras contracts (query, key) here and (key, query) in MultiHeadAttention.
        "scores_equation": literal(f"{key},{query}->{scores}"),
        "output_equation": literal(output),
        "repeats": literal(layer.num_repeats),
    }
    if layer.dropout:
        made["dropout"] = literal(layer.dropout)
    return Translation(_keywords("MultiHeadAttention", made), weights)


def _projections(layer: Any, context: Context) -> tuple[dict[str, str], dict[str, Any]]:
    """The projections of an attention layer: constructors and weights by attribute."""
    require(layer, get_sliding_window(layer) is None, "sliding_window is not carried")
    made: dict[str, str] = {}
    weights: dict[str, Any] = {}
    for name, dense in list_projections(layer).items():
        part = context.child(dense)
        made[name] = part.constructor
        weights |= prefixed(name, part.weights)
    return made, weights


def _keywords(name: str, made: dict[str, str]) -> str:
    return f"{name}({arguments(*(f'{key}={value}' for key, value in made.items()))})"


def _attention(layer: Any, context: Context) -> Translation:
    made = constructor(
        "Attention",
        score_mode=layer.score_mode,
        use_scale=layer.use_scale,
        dropout=layer.dropout,
        defaults={"score_mode": "dot", "use_scale": False, "dropout": 0.0},
    )
    return Translation(made, own_weights(layer, "scale", "concat_score_weight"))


def _additive_attention(layer: Any, context: Context) -> Translation:
    made = constructor(
        "AdditiveAttention",
        literal(None if layer.scale is None else layer.scale.shape[0]),
        dropout=layer.dropout,
        defaults={"dropout": 0.0},
    )
    return Translation(made, own_weights(layer, "scale"))


TRANSLATORS: dict[type[Any], Translator] = {
    **dict.fromkeys(_CELLS, _cell),
    layers.SimpleRNN: _recurrent,
    layers.LSTM: _recurrent,
    layers.GRU: _recurrent,
    layers.RNN: _recurrent,
    layers.Bidirectional: _bidirectional,
    layers.TimeDistributed: _time_distributed,
    layers.MultiHeadAttention: _multi_head,
    layers.GroupQueryAttention: _grouped_query,
    layers.Attention: _attention,
    layers.AdditiveAttention: _additive_attention,
}
