"""The inputs that a model and its artifact are compared on: random ones and edges, from a fixed seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portable_models.export.errors import ExportError
from portable_models.export.signature import Signature, Tensor

Array = NDArray[Any]

EXPORTED_BATCH = 17
"""Rows of the batch that a model is traced with; a prime, so that no other axis is taken for it."""

LARGE = 100.0
"""Standard deviation of the large inputs: two orders above what standardised features hold, so that
sigmoid and tanh saturate and sums lose their low digits, and far below where float32 overflows."""

FREE_AXIS = 12
"""Size given to an axis that is free and is not the batch (a sequence's length)."""


@dataclass(frozen=True, eq=False)
class Probe:
    """One set of inputs: ``name`` says what kind, ``inputs`` follow the signature's order."""

    name: str
    batch: int
    inputs: tuple[Array, ...]


Fill = Callable[[np.random.Generator, tuple[int, ...], Tensor], Array | None]


def _random(rng: np.random.Generator, shape: tuple[int, ...], tensor: Tensor) -> Array | None:
    if _counts(tensor):
        return rng.integers(0, tensor.limit or 2, shape)
    return rng.standard_normal(shape)


def _zeros(rng: np.random.Generator, shape: tuple[int, ...], tensor: Tensor) -> Array | None:
    del rng, tensor
    return np.zeros(shape)


def _large(rng: np.random.Generator, shape: tuple[int, ...], tensor: Tensor) -> Array | None:
    if _counts(tensor):
        return np.full(shape, (tensor.limit or 2) - 1)
    return LARGE * rng.standard_normal(shape)


def _negative(rng: np.random.Generator, shape: tuple[int, ...], tensor: Tensor) -> Array | None:
    # A token id below zero means nothing: what an Embedding does with it differs even between backends.
    return None if _counts(tensor) else -np.abs(rng.standard_normal(shape))


def _counts(tensor: Tensor) -> bool:
    return tensor.limit is not None or np.dtype(tensor.dtype).kind in "iub"


EDGES: dict[str, Fill] = {"zeros": _zeros, "large": _large, "negative": _negative}


def probes(signature: Signature, batch: int = EXPORTED_BATCH, seed: int = 0) -> tuple[Probe, ...]:
    """Random inputs at batch 1, at ``batch`` and at another, and the edges at ``batch``.

    A kind of edge that no input can take (negative token ids) is left out; an input that cannot take
    it gets random values where another input can.

    Raises:
        ExportError: an input's dtype is none that numbers can be drawn for (strings).
    """
    for tensor in signature.inputs:
        if tensor.dtype == "string" or np.dtype(tensor.dtype).kind not in "fiub":
            raise ExportError(
                f"inputs of dtype {tensor.dtype} cannot be probed (input {tensor.name!r}); "
                "cut the text processing off the model, or export it with --no-verify"
            )
    return tuple(_draw(signature, batch, seed))


def _draw(signature: Signature, batch: int, seed: int) -> Iterator[Probe]:
    rng = np.random.default_rng(seed)
    other = 5 if batch != 5 else 7
    for rows in dict.fromkeys((batch, 1, other)):
        # Another batch comes with another length, so that neither can have been baked in.
        length = FREE_AXIS if rows != other else FREE_AXIS + 4
        filled = [_fill(_random, rng, tensor, rows, length) for tensor in signature.inputs]
        yield Probe("random", rows, tuple(array for array in filled if array is not None))
    for name, fill in EDGES.items():
        edges = [_fill(fill, rng, tensor, batch, FREE_AXIS) for tensor in signature.inputs]
        if all(array is None for array in edges):
            continue
        chosen = (
            _fill(_random, rng, tensor, batch, FREE_AXIS) if array is None else array
            for array, tensor in zip(edges, signature.inputs, strict=True)
        )
        yield Probe(name, batch, tuple(array for array in chosen if array is not None))


def _fill(
    fill: Fill, rng: np.random.Generator, tensor: Tensor, rows: int, length: int
) -> Array | None:
    shape = (rows, *(length if size is None else size for size in tensor.shape[1:]))
    values = fill(rng, shape, tensor)
    return None if values is None else np.asarray(values).astype(tensor.dtype)
