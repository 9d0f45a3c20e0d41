"""Building a model by the shapes of a batch."""

from __future__ import annotations

from typing import Any


def build_by_shapes(model: Any, batch: Any) -> None:
    """Build a model's weights, loss, metrics and optimizer as ``Model.fit`` does, by a batch's shapes.

    Nothing is computed, so no seeded generator moves on. The public ways are ``model.build``, which knows no
    targets, and to call the model, which draws from its generators
    (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/trainers/trainer.py, ``_symbolic_build``).

    Args:
        model: a compiled model.
        batch: ``x``, ``(x, y)`` or ``(x, y, sample_weight)`` of arrays.

    Raises:
        Exception: whatever the model's own code raises.
    """
    model._symbolic_build(data_batch=batch)


def is_built(model: Any) -> bool:
    """Whether the model and every layer inside it have their weights."""
    return all(layer.built for layer in model._flatten_layers())


def all_layers(model: Any) -> list[Any]:
    """The model and every layer inside it, nested ones too; ``model.layers`` is the first level only."""
    return list(model._flatten_layers())


def clear_losses(model: Any) -> None:
    """Forget the penalties that layers noted in their last call; there is no public way."""
    model._clear_losses()


def has_state(layer: Any) -> bool:
    """Whether a layer itself, without those inside it, has variables that are no weights and no seeds.

    ``layer.non_trainable_variables`` holds those of the layers inside, and frozen weights too.
    """
    seeds = {id(each.state) for each in layer._seed_generators}
    return any(id(each) not in seeds for each in layer._non_trainable_variables)


def build_training(model: Any, batch: Any) -> None:
    """Make the optimizer's variables, the loss and the metrics of a compiled model without a step.

    Keras does so at the start of ``fit`` and offers no public way
    (https://github.com/keras-team/keras/blob/master/keras/src/trainers/trainer.py, ``_symbolic_build``).

    Args:
        model: a compiled model.
        batch: ``(x, y)`` or ``(x, y, sample_weight)``, of tensors.
    """
    model._symbolic_build(data_batch=batch)
