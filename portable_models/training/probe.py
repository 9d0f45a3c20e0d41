"""Proof of what Keras is really fed: a model that trains nothing and digests each batch it is handed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from portable_models.data.pipelines import Feed
from portable_models.data.samples import digest_arrays


class BatchProbe(keras.Model):  # type: ignore[misc]  # keras has no complete types
    """Takes batches through Keras's own data adapters, on any backend, and remembers a digest of each."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.compile(run_eagerly=True)

    def call(self, x: Any) -> Any:
        """Nothing is computed."""
        return keras.ops.zeros((1,))

    def test_step(self, *arguments: Any) -> Any:
        """Digest one batch. JAX hands over ``(state, data)``, the other backends ``(data,)``."""
        self.seen.append(batch_digest(arguments[-1]))
        # TensorFlow's loop cannot carry an empty dict of logs.
        logs = {"batches": keras.ops.zeros(())}
        return (logs, arguments[0]) if len(arguments) > 1 else logs


def batch_digest(data: Any) -> str:
    """SHA-256 of one batch, ``(x, y)`` or ``(x, y, sample_weight)``, of tensors or arrays."""
    leaves = (leaf for leaf in keras.tree.flatten(data) if leaf is not None)
    return digest_arrays(*(_canonical(_array(leaf)) for leaf in leaves))


def _array(leaf: Any) -> Any:
    return leaf if isinstance(leaf, np.ndarray) else keras.ops.convert_to_numpy(leaf)


def _canonical(array: Any) -> Any:
    """Targets of shape (n,) and (n, 1) are one thing to Keras, and float64 is float32 to JAX."""
    flat = np.asarray(array)
    flat = flat.reshape(len(flat), -1) if flat.ndim else flat.reshape(1, 1)
    return flat.astype(np.float32, copy=False)


def batch_digests(feed: Feed) -> list[str]:
    """SHA-256 of every batch that Keras delivers from a feed, in the order of delivery."""
    probe = BatchProbe()
    probe.evaluate(**feed.arguments(), verbose=0)
    return probe.seen


def batches_digest(digests: Iterable[str]) -> str:
    """SHA-256 over the digests of all batches, in order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()
