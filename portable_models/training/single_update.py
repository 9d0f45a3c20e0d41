"""One update of a model's weights from gradients that are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from portable_models._backend import current
from portable_models._backend.step_result import Slices
from portable_models.data.samples import Array


@contextmanager
def unscaled(optimizer: Any) -> Iterator[None]:
    """Gradients of the loss as it is: Keras scales it on some ways to a gradient and not on others."""
    scale = getattr(optimizer, "dynamic_scale", None)
    factor, optimizer.loss_scale_factor = optimizer.loss_scale_factor, None
    before = None if scale is None else keras.ops.convert_to_numpy(scale.value)
    if scale is not None:
        scale.assign(1.0)
    try:
        yield
    finally:
        optimizer.loss_scale_factor = factor
        if scale is not None:
            scale.assign(before)


def apply_gradients(
    model: Any, gradients: Sequence[Array], slices: Mapping[int, Slices] | None = None
) -> None:
    """Hand gradients of the loss as it is to the optimizer.

    Of one that scales the loss, to the optimizer inside it: what is outside divides by the scale, and on JAX
    it can do so in a compiled step only.

    Args:
        model: a built and compiled model.
        gradients: one for each of ``model.trainable_variables``.
        slices: those that the optimizer gets as slices when it trains. They are handed to it as such, with
            sums that equal ``gradients``.
    """
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    scale = optimizer.loss_scale_factor or 1.0
    kind = keras.config.floatx()
    given = []
    for place, gradient in enumerate(gradients):
        own = (slices or {}).get(place)
        form = None if own is None else with_sum(own, gradient)
        if form is None:
            given.append(keras.ops.convert_to_tensor((gradient * scale).astype(kind)))
        else:
            values = (form.values * scale).astype(kind)
            given.append(current().sliced(form._replace(values=values), gradient.shape))
    optimizer.apply(given, model.trainable_variables)


def with_sum(slices: Slices, gradient: Array) -> Slices | None:
    """Slices of the same rows whose sum is ``gradient``; None where other rows of it are not zero."""
    rest = np.array(gradient, "float64")
    np.subtract.at(rest, slices.rows, slices.values.astype("float64"))
    values = slices.values.astype("float64")
    rows, first = np.unique(slices.rows, return_index=True)
    values[first] += rest[rows]
    rest[rows] = 0.0
    return None if rest.any() else slices._replace(values=values)
