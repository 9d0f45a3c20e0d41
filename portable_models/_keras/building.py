"""Building a model by the shapes of a batch, and what a built one is cleared of."""

from __future__ import annotations

from typing import Any

from portable_models._keras.layers import all_layers


def build_by_shapes(model: Any, batch: Any) -> None:
    """Build a model's weights, loss, metrics and optimizer as ``Model.fit`` does, by a batch's shapes.

    Nothing is computed, so no seeded generator moves on. The public ways are ``model.build``, which knows no
    targets, and to call the model, which draws from its generators
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/trainers/trainer.py, ``_symbolic_build``).

    Args:
        model: a compiled model.
        batch: ``x``, ``(x, y)`` or ``(x, y, sample_weight)`` of arrays or tensors.

    Raises:
        Exception: whatever the model's own code raises.
    """
    model._symbolic_build(data_batch=batch)


def is_built(model: Any) -> bool:
    """Whether the model and every layer inside it have their weights."""
    return all(layer.built for layer in all_layers(model))


def clear_losses(model: Any) -> None:
    """Forget the penalties that layers noted in their last call; there is no public way.

    Upstream: https://github.com/keras-team/keras/blob/v3.15.1/keras/src/layers/layer.py, ``_clear_losses``.
    """
    model._clear_losses()
