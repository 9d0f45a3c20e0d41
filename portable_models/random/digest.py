"""Digests of randomness: equal on every backend, or the comparison of models need not begin."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from portable_models._keras.graph import get_functional_class, list_call_inputs
from portable_models._keras.layers import inner_layers
from portable_models.data.samples import digest_arrays
from portable_models.random.words import BACKEND, key_of, random_words, tensor_operations

_DROPPING: Final = (
    keras.layers.AlphaDropout,
    keras.layers.Dropout,  # and SpatialDropout, which derives from it
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
)


def random_bits_digest(seed: int, count: int = 4096) -> str:
    """SHA-256 of random words as the backend computes them, compiled under JAX and TensorFlow.

    Args:
        seed: integer; the key is its lowest 32 bits and 0, as for an integer seed in Keras.
        count: how many words, positive.

    Returns:
        Hexadecimal SHA-256 over the words as little-endian uint32; the same on every backend.

    Raises:
        ValueError: ``count`` is not positive.
    """
    if count < 1:
        raise ValueError(f"a digest needs at least one word; got count={count}")
    key = keras.ops.convert_to_tensor([word - ((word >> 31) << 32) for word in key_of(seed)])
    with tensor_operations():
        words = _compiled(count)(key)
    return hashlib.sha256(_array(words).astype("<i4").tobytes()).hexdigest()


@functools.cache
def _compiled(count: int) -> Callable[[Any], Any]:
    return BACKEND.compiled(lambda key: random_words(key, count))


def dropout_mask_digest(model: keras.Model, shape_batch: int = 4, draws: int = 3) -> str:
    """SHA-256 of what each dropout layer of a built model would draw in its next calls.

    That is which entries of ones it drops, or what it makes of them where it adds or multiplies noise. Covers
    Dropout, SpatialDropout, GaussianDropout, GaussianNoise and AlphaDropout, at any depth, in the
    order in which the model holds them. What is drawn goes through the backend's own operations. The states
    of the seed generators stay as they are. Inside :func:`portable_random` the digest is the same on every
    backend.

    Args:
        model: a built model.
        shape_batch: rows of ones; unknown dimensions besides the batch count as 1.
        draws: calls of each layer.

    Returns:
        Hexadecimal SHA-256, or "" for a model without such layers.

    Raises:
        ValueError: the shape that a layer gets cannot be found out, because the model is not built or does
            not call the layer.
    """
    found = [*_dropping_layers(model)]
    if not found:
        return ""
    shapes = _input_shapes(model, found)
    with tensor_operations():
        masks = [
            mask
            for layer, shape in zip(found, shapes, strict=True)
            for mask in _masks(layer, (shape_batch, *shape[1:]), draws)
        ]
    return digest_arrays(*masks)


def _array(tensor: Any) -> NDArray[Any]:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def _dropping_layers(model: keras.Model) -> Iterator[keras.Layer]:
    seen = set()
    for layer in inner_layers(model):
        draws = isinstance(layer, _DROPPING) and getattr(layer, "seed_generator", None) is not None
        if draws and id(layer) not in seen:
            seen.add(id(layer))
            yield layer


def _masks(layer: keras.Layer, shape: Sequence[int], draws: int) -> Iterator[NDArray[np.float32]]:
    ones = keras.ops.ones(shape, dtype=layer.compute_dtype)
    state = [keras.ops.copy(variable.value) for variable in layer.non_trainable_variables]
    for _ in range(draws):
        mask, state = layer.stateless_call([], state, ones, training=True)
        values = _array(keras.ops.cast(mask, "float32"))
        # Which entries are dropped is drawn; how the others are scaled is arithmetic.
        yield (
            (values != 0).astype(np.float32) if isinstance(layer, keras.layers.Dropout) else values
        )


def _input_shapes(model: keras.Model, layers: Sequence[keras.Layer]) -> list[tuple[int, ...]]:
    """Shapes that layers get, in the graph of the model where they have a place of their own in it."""
    shapes = {layer: calls[0][0].shape for layer in layers if (calls := list_call_inputs(layer))}
    missing = [layer for layer in layers if layer not in shapes]
    if missing:
        shapes.update(_observed_shapes(model, missing))
    lost = [layer.path for layer in layers if layer not in shapes]
    if lost:
        raise ValueError(
            f"the model never calls its layers {lost}, so their input shapes are unknown"
        )
    return [tuple(1 if size is None else size for size in shapes[layer]) for layer in layers]


def _observed_shapes(
    model: keras.Model, layers: Sequence[keras.Layer]
) -> dict[keras.Layer, tuple[int, ...]]:
    """Shapes that layers inside of others get when the model is called on zeros."""
    seen: dict[keras.Layer, tuple[int, ...]] = {}

    def watch(layer: keras.Layer, call: Any) -> Any:
        def watched(inputs: Any, *rest: Any, **options: Any) -> Any:
            seen.setdefault(layer, tuple(inputs.shape))
            return call(inputs, *rest, **options)

        return watched

    for layer in layers:
        layer.call = watch(layer, layer.call)
    try:
        # What the call changes, such as the state of a generator that the model draws from, is dropped.
        with keras.StatelessScope():
            model(_zeros(model), training=False)
    finally:
        for layer in layers:
            del layer.call
    return seen


def _zeros(model: keras.Model) -> Any:
    """One row of zeros for each input of the model."""
    if isinstance(model, get_functional_class()):
        return keras.tree.map_structure(
            lambda given: keras.ops.zeros([size or 1 for size in given.shape], dtype=given.dtype),
            model.input,
        )
    shape = (model.get_build_config() or {}).get("input_shape")
    if shape is None:
        raise ValueError(
            f"model {model.name!r} is not built, so the shapes that its dropout layers get are unknown; "
            "call it on a batch first"
        )
    return keras.tree.map_shape_structure(
        lambda each: keras.ops.zeros([size or 1 for size in each]), shape
    )
