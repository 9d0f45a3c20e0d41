"""One order of samples, drawn by the project itself, that every pipeline follows."""

from __future__ import annotations

import hashlib

import numpy as np

from portable_models.data.samples import Indices


def epoch_order(count: int, *, seed: int, epoch: int, shuffle: bool = True) -> Indices:
    """The order of the samples in one epoch.

    Drawn by NumPy's PCG64 from ``[seed, epoch]``, so that an epoch's order depends on nothing before it
    and a resumed training meets the same order.

    Args:
        count: number of samples.
        seed: seed of the recipe.
        epoch: epoch, counted from 0.
        shuffle: False gives 0, 1, 2, …

    Returns:
        int64 array of shape ``(count,)`` that holds each index once.
    """
    if not shuffle:
        return np.arange(count)
    return np.random.default_rng([seed, epoch]).permutation(count)


def order_digest(count: int, *, seed: int, epochs: int, shuffle: bool = True) -> str:
    """SHA-256 over the orders of all epochs of a training, as hexadecimal."""
    state = hashlib.sha256()
    for epoch in range(epochs):
        order = epoch_order(count, seed=seed, epoch=epoch, shuffle=shuffle)
        state.update(order.astype("<i8").tobytes())
    return state.hexdigest()
