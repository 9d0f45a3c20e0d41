"""Initial weights: their digest, and replicas that differ in the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from portable_models.data.samples import digest_arrays


def weights_digest(model: Any) -> str:
    """SHA-256 over all weights of a built model, in the order of ``model.get_weights()``."""
    return digest_arrays(*(np.asarray(weight) for weight in model.get_weights()))


def perturb_last_bit(model: Any, replica: int) -> None:
    """Move every trainable weight by one unit in the last place, up or down.

    The direction of each weight is drawn from ``replica``. Zeros stay zero: next to zero is a subnormal
    number, which some backends flush to zero and others do not.

    Args:
        model: a built Keras model; its trainable weights are changed.
        replica: which replica; 0 leaves the model as it is.
    """
    if not replica:
        return
    directions = np.random.default_rng([replica, 0x1EAF])
    for variable in model.trainable_variables:
        value = np.array(variable.numpy() if hasattr(variable, "numpy") else variable)
        towards = np.where(directions.random(value.shape) < 0.5, -np.inf, np.inf).astype(
            value.dtype
        )
        variable.assign(np.where(value == 0, value, np.nextafter(value, towards)))
