"""What a model's inputs are looked up in: tables whose size bounds the integers that make sense."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

_LARGE = 1 << 31


@dataclass(frozen=True)
class Lookup:
    """One call of something that looks integers up.

    Args:
        size: how many entries the table has.
        values: the integers that it was called with.
        masks: whether 0 stands for padding.
        vocabulary: strings, where strings are looked up.
    """

    size: int
    values: NDArray[Any]
    masks: bool
    vocabulary: tuple[str, ...] = ()


def bounds(model: Any, flat: list[NDArray[Any]], rebuild: Any) -> list[Lookup | None]:
    """The narrowest table that each input reaches; None where it reaches none.

    An input reaches a table if changing its zeros to ones changes what is looked up there, whatever layers
    lie between.

    Args:
        model: a built model.
        flat: inputs full of zeros.
        rebuild: makes the model's argument of flat inputs.
    """
    before = _lookups(model, rebuild(flat))
    if not before:
        return [None] * len(flat)
    found: list[Lookup | None] = []
    for index, zeros in enumerate(flat):
        if zeros.dtype.kind not in "iuf":
            found.append(None)
            continue
        changed = [*flat]
        changed[index] = np.ones_like(zeros)
        after = _lookups(model, rebuild(changed))
        reached = [
            old
            for old, new in zip(before, after, strict=False)
            if old.values.shape != new.values.shape or not np.array_equal(old.values, new.values)
        ]
        narrow = min(reached, key=lambda each: each.size, default=None)
        if narrow is not None and any(each.masks for each in reached):
            narrow = Lookup(narrow.size, narrow.values, True, narrow.vocabulary)
        found.append(narrow)
    return found


def _lookups(model: Any, inputs: Any) -> list[Lookup]:
    found: list[Lookup] = []
    with _observed(found), contextlib.suppress(Exception):
        # A model that fails on zeros is reported by the stage that runs it on real inputs.
        model(inputs, training=False)
    return found


@contextlib.contextmanager
def _observed(found: list[Lookup]) -> Iterator[None]:
    """Record every lookup of Embedding, CategoryEncoding, one_hot and take."""

    def record(size: Any, values: Any, masks: bool = False) -> None:
        with contextlib.suppress(Exception):
            array = np.asarray(keras.ops.convert_to_numpy(values))
            if array.dtype.kind in "iuf" and 0 < int(size) < _LARGE:
                found.append(Lookup(int(size), array, masks))

    embed = keras.layers.Embedding.call
    encode = keras.layers.CategoryEncoding.call
    one_hot, take = keras.ops.one_hot, keras.ops.take

    def embedding(layer: Any, inputs: Any) -> Any:
        record(layer.input_dim, inputs, bool(layer.mask_zero))
        return embed(layer, inputs)

    def category(layer: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
        record(layer.num_tokens, inputs)
        return encode(layer, inputs, *rest, **named)

    def hot(x: Any, num_classes: Any, *rest: Any, **named: Any) -> Any:
        record(num_classes, x)
        return one_hot(x, num_classes, *rest, **named)

    def taken(x: Any, indices: Any, axis: Any = None) -> Any:
        if axis is not None:
            record(x.shape[axis], indices)
        return take(x, indices, axis=axis)

    keras.layers.Embedding.call = embedding
    keras.layers.CategoryEncoding.call = category
    keras.ops.one_hot, keras.ops.take = hot, taken
    try:
        yield
    finally:
        keras.layers.Embedding.call = embed
        keras.layers.CategoryEncoding.call = encode
        keras.ops.one_hot, keras.ops.take = one_hot, take
