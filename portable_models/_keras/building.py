"""Build what a compiled model makes at its first step."""

from __future__ import annotations

from typing import Any


def build_training(model: Any, batch: Any) -> None:
    """Make the optimizer's variables, the loss and the metrics of a compiled model without a step.

    Keras does so at the start of ``fit`` and offers no public way
    (https://github.com/keras-team/keras/blob/master/keras/src/trainers/trainer.py, ``_symbolic_build``).

    Args:
        model: a compiled model.
        batch: ``(x, y)`` or ``(x, y, sample_weight)``, of tensors.
    """
    model._symbolic_build(data_batch=batch)
