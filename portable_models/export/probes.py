"""The inputs that a model and its artifact are compared on: the user's, random ones and edges."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portable_models.export import sizes
from portable_models.export.signature import Signature, Tensor

Array = NDArray[Any]

EXPORTED_BATCH = 17
"""Rows of the batch that a model is traced with; a prime, so that no other axis is taken for it."""

LARGE = 100.0
"""Standard deviation of the large inputs: two orders above what standardised features hold, so that
sigmoid and tanh saturate and sums lose their low digits, and far below where float32 overflows."""

SAMPLE_ROWS = 256
"""Rows of the user's sample that are compared, spread over the whole of it."""

FREE_AXIS = sizes.FREE_AXIS


@dataclass(frozen=True, eq=False)
class Probe:
    """One set of inputs: ``name`` says what kind, ``inputs`` follow the signature's order."""

    name: str
    batch: int
    inputs: tuple[Array, ...]


Fill = Callable[[np.random.Generator, tuple[int, ...], Tensor], Array | None]


def _random(rng: np.random.Generator, shape: tuple[int, ...], tensor: Tensor) -> Array | None:
    values = tensor.values
    if _is_mask(tensor):
        return padding(rng, shape)
    if values.choices or tensor.dtype == "string":
        return rng.choice(np.asarray(values.choices or ("one", "two", "three")), shape)
    if _counts(tensor):
        return _whole(rng, shape, tensor)
    if values.mean is not None:
        drawn = np.asarray(values.mean) + np.asarray(values.deviation) * rng.standard_normal(shape)
    elif values.low is not None and values.high is not None:
        drawn = rng.uniform(values.low, values.high, shape)
    else:
        drawn = rng.standard_normal(shape)
    if values.mask_value is not None and len(shape) > 2:
        drawn = np.where(padding(rng, shape[:-1])[..., None], drawn, values.mask_value)
    return drawn


def _whole(rng: np.random.Generator, shape: tuple[int, ...], tensor: Tensor) -> Array:
    if tensor.limit is None and tensor.values.high is not None:
        return rng.integers(int(tensor.values.low or 0), int(tensor.values.high) + 1, shape)
    if tensor.limit is None:
        # A byte is a pixel: all 256 of its values. Other integers without a meaning stay small.
        return rng.integers(
            0, 256 if np.dtype(tensor.dtype).itemsize == 1 and _is(tensor, "u") else 2, shape
        )
    if not tensor.values.masks or len(shape) < 2:
        return rng.integers(0, tensor.limit, shape)
    ids = rng.integers(min(1, tensor.limit - 1), tensor.limit, shape)
    return np.where(padding(rng, shape), ids, 0)


def padding(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Which steps are no padding: rows without any, rows padded at the end, rows padded at the start."""
    if len(shape) < 2:
        return rng.random(shape) < 0.7
    steps = np.arange(shape[-1])
    lengths = rng.integers(1, shape[-1] + 1, (*shape[:-1], 1))
    kept = steps < lengths
    kept[1::3] = (steps >= shape[-1] - lengths)[1::3]
    kept[0] = True
    return kept


def _zeros(rng: np.random.Generator, shape: tuple[int, ...], tensor: Tensor) -> Array | None:
    del rng
    if tensor.dtype == "string":
        return np.full(shape, "")
    # Where everything is masked there is nothing left to compare: 0 / 0.
    return np.ones(shape) if _is_mask(tensor) else np.zeros(shape)


def _large(rng: np.random.Generator, shape: tuple[int, ...], tensor: Tensor) -> Array | None:
    values = tensor.values
    if tensor.dtype == "string":
        return None
    if _is_mask(tensor):
        return np.ones(shape)
    if _counts(tensor):
        top = tensor.limit - 1 if tensor.limit else values.high
        if top is None:
            top = max(values.choices, default=255 if _is(tensor, "u") else 1)
        return np.full(shape, top)
    if values.mean is not None:
        scale = LARGE * np.asarray(values.deviation)
        return np.asarray(values.mean) + scale * rng.standard_normal(shape)
    if values.high is not None:
        return np.full(shape, values.high)
    return LARGE * rng.standard_normal(shape)


def _negative(rng: np.random.Generator, shape: tuple[int, ...], tensor: Tensor) -> Array | None:
    # A token id below zero means nothing: what an Embedding does with it differs even between backends.
    low = tensor.values.low
    if _counts(tensor) or tensor.dtype == "string" or (low is not None and low >= 0):
        return None
    return -np.abs(rng.standard_normal(shape))


def _is(tensor: Tensor, kinds: str) -> bool:
    return tensor.dtype not in ("string", "bfloat16") and np.dtype(tensor.dtype).kind in kinds


def _counts(tensor: Tensor) -> bool:
    whole = bool(tensor.values.choices) and tensor.dtype != "string"
    return tensor.limit is not None or whole or _is(tensor, "iub")


def _is_mask(tensor: Tensor) -> bool:
    named = "mask" in tensor.name.lower() and _is(tensor, "iu") and not tensor.limit
    return _is(tensor, "b") or named


EDGES: dict[str, Fill] = {"zeros": _zeros, "large": _large, "negative": _negative}


def probes(
    signature: Signature,
    batch: int = EXPORTED_BATCH,
    seed: int = 0,
    sample: Mapping[str, Array] | None = None,
) -> tuple[Probe, ...]:
    """The user's sample, random inputs at batch 1, at ``batch`` and at another, and edges at ``batch``.

    Inputs are drawn from what the signature knows of their values. A kind of edge that no input can take
    (negative token ids) is left out; an input that cannot take it gets random values where another can.

    Args:
        signature: the inputs.
        batch: rows of the exported batch.
        seed: of the draws.
        sample: the user's inputs by name, rows first.
    """
    return (*_of_user(signature, sample or {}), *_draw(signature, batch, seed))


def _of_user(signature: Signature, sample: Mapping[str, Array]) -> Iterator[Probe]:
    if not sample:
        return
    count = len(next(iter(sample.values())))
    rows = np.unique(np.linspace(0, count - 1, min(count, SAMPLE_ROWS)).astype(int))
    chosen = (_typed(sample[t.name][rows], t) for t in signature.inputs)
    yield Probe("sample", len(rows), tuple(chosen))


def _draw(signature: Signature, batch: int, seed: int) -> Iterator[Probe]:
    rng = np.random.default_rng(seed)
    other = 5 if batch != 5 else 7

    def filled(fill: Fill, rows: int) -> list[Array | None]:
        # Another batch comes with other sizes, so that none can have been baked in.
        shapes = sizes.concrete(signature.inputs, rows, other=rows == other)
        pairs = zip(signature.inputs, shapes, strict=True)
        return [_fill(fill, rng, shape, tensor) for tensor, shape in pairs]

    for rows in dict.fromkeys((batch, 1, other)):
        found = filled(_random, rows)
        yield Probe("random", rows, tuple(array for array in found if array is not None))
    for name, fill in EDGES.items():
        edges = filled(fill, batch)
        if all(array is None for array in edges):
            continue
        beside = filled(_random, batch)
        chosen = (
            random if edge is None else edge for edge, random in zip(edges, beside, strict=True)
        )
        yield Probe(name, batch, tuple(array for array in chosen if array is not None))


def _fill(
    fill: Fill, rng: np.random.Generator, shape: tuple[int, ...], tensor: Tensor
) -> Array | None:
    values = fill(rng, shape, tensor)
    return None if values is None else _typed(np.asarray(values), tensor)


def _typed(values: Array, tensor: Tensor) -> Array:
    if tensor.dtype == "string":
        return values.astype("U")
    # NumPy has no bfloat16; runtimes take float32 in its place.
    return values.astype("float32" if tensor.dtype == "bfloat16" else tensor.dtype)
