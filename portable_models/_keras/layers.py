"""The layers inside of a layer or model, and the variables and attributes of a single layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BOOKKEEPING = frozenset(("_layers", "_modules", "_metrics", "_inbound_nodes", "_outbound_nodes"))
"""Where Keras and the frameworks keep track of layers, under names that differ between backends."""


def all_layers(layer: Any) -> list[Any]:
    """List a layer or model and every layer inside it, at any depth.

    Needed wherever every layer counts. The public ``model.layers`` is the first level only. Only models have
    it, and it leaves out the layer inside a wrapper such as Bidirectional
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/layers/layer.py, ``_flatten_layers``).
    """
    return list(layer._flatten_layers())


def inner_layers(layer: Any) -> list[Any]:
    """List every layer inside a layer or model, at any depth, without itself; see :func:`all_layers`."""
    return list(layer._flatten_layers(include_self=False))


def split_own_variables(layer: Any) -> tuple[list[Any], list[Any]]:
    """List the variables of a single layer, without those of the layers inside it.

    Needed to tell a frozen weight from a variable that is no weight. The public ``trainable_variables`` and
    ``non_trainable_variables`` include the layers inside, and the latter also holds frozen weights
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/layers/layer.py, ``_trainable_variables``).

    Returns:
        The variables made as trainable, frozen or not, and those made as non-trainable. Both are empty for an
        object without them.
    """
    return (
        list(getattr(layer, "_trainable_variables", ())),
        list(getattr(layer, "_non_trainable_variables", ())),
    )


def has_state(layer: Any) -> bool:
    """Tell whether a single layer has variables that are neither weights nor seeds.

    Keras has no public list of a layer's own seed generators
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/layers/layer.py, ``_seed_generators``).
    """
    seeds = {id(each.state) for each in layer._seed_generators}
    _, fixed = split_own_variables(layer)
    return any(id(each) not in seeds for each in fixed)


def list_attributes(layer: Any) -> Mapping[str, Any]:
    """List the attributes of a layer by name, without Keras's own lists of layers and calls.

    Needed to name the layers that a custom layer holds as its author named them. The public ``vars(layer)``
    includes Keras's lists. On PyTorch it lacks the layers: a layer is an ``nn.Module`` there, which keeps its
    modules in a dict of its own
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/backend/torch/layer.py).
    """
    attributes = {**vars(layer), **vars(layer).get("_modules", {})}
    return {
        name: value
        for name, value in attributes.items()
        if name not in _BOOKKEEPING and not name.startswith("_self_")
    }
