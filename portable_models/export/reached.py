"""Which layers a model's inputs reach, and what those layers say of the values that make sense there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from portable_models._keras.layers import all_layers

Array = NDArray[Any]

_LARGE = 1 << 31


@dataclass(frozen=True, eq=False)
class Use:
    """One call of a layer or operation that says which values it can take.

    Args:
        layer: the layer's or operation's class, for instance ``"Embedding"``.
        values: what it was called with.
        size: how many entries its table has; 0 where it has none.
        masks: whether 0 stands for padding.
        given: what else it says: ``mean`` and ``deviation``, ``range``, ``words``, ``bins``, ``mask_value``.
    """

    layer: str
    values: Array
    size: int
    masks: bool
    given: dict[str, Any]


@dataclass(frozen=True)
class Lookup:
    """The narrowest table that an input reaches.

    Args:
        size: how many different integers the input can hold, from 0.
        masks: whether 0 stands for padding.
    """

    size: int
    masks: bool


def bounds(model: Any, flat: list[Array], rebuild: Callable[[list[Array]], Any]) -> list[Any]:
    """The narrowest table that each input reaches; None where it reaches none.

    Args:
        model: a built model.
        flat: inputs full of zeros.
        rebuild: makes the model's argument of flat inputs.
    """
    found = find_uses(model, lambda given: model(rebuild(given), training=False), flat)
    return [narrowest(uses) for uses in found]


def find_uses(
    model: Any, call: Callable[[list[Array]], Any], flat: list[Array]
) -> list[list[tuple[Use, Use]]]:
    """The uses that each input reaches, as they were called with zeros and with ones.

    An input reaches a use if changing its zeros to ones changes what the layer is called with, whatever
    layers lie between.

    Args:
        model: a built model.
        call: runs the model on flat inputs.
        flat: inputs full of zeros (empty strings where an input takes strings).
    """
    before = _uses(model, call, flat)
    found: list[list[tuple[Use, Use]]] = []
    for index, zeros in enumerate(flat):
        if not before:
            found.append([])
            continue
        changed = [*flat]
        changed[index] = np.full_like(zeros, "a" if zeros.dtype.kind == "U" else 1)
        after = _uses(model, call, changed)
        # A run that ended early tells nothing of what comes after its end.
        pairs = list(zip(before, after, strict=False))
        found.append(
            [
                (old, new)
                for old, new in pairs
                if old.values.shape != new.values.shape
                or not np.array_equal(old.values, new.values)
            ]
        )
    return found


def narrowest(uses: Sequence[tuple[Use, Use]]) -> Lookup | None:
    """How many different integers an input can hold, by the tables that it reaches.

    Where a layer in between adds a constant or multiplies by one, the table holds fewer of the input's
    integers than it has entries.
    """
    sizes: list[int] = []
    for old, new in uses:
        if (
            not old.size
            or old.values.shape != new.values.shape
            or old.values.dtype.kind not in "iuf"
        ):
            continue
        start, step = float(old.values.max(initial=0)), _step(old.values, new.values)
        entries = int((old.size - 1 - start) // step) + 1 if step >= 1 and start >= 0 else old.size
        sizes.append(max(1, min(entries, old.size)))
    if not sizes:
        return None
    return Lookup(min(sizes), any(old.masks for old, _ in uses))


def is_direct(old: Use, new: Use) -> bool:
    """Whether the layer is called with the input itself."""
    if old.values.dtype.kind not in "iuf" or not old.values.size or not new.values.size:
        return False
    return not old.values.any() and bool((new.values == 1).all())


def _step(old: Array, new: Array) -> float:
    steps = new.astype(np.float64) - old.astype(np.float64)
    return float(steps.max(initial=0.0))


def _uses(model: Any, call: Callable[[list[Array]], Any], inputs: list[Array]) -> list[Use]:
    found: list[Use] = []
    with _observed(model, found), contextlib.suppress(Exception):
        # A model that fails on zeros is reported by the stage that runs it on real inputs.
        call(inputs)
    return found


def _record(
    found: list[Use], layer: str, values: Any, size: Any, masks: bool, **given: Any
) -> None:
    # A traced value has no numbers, and what cannot be read says nothing.
    with contextlib.suppress(Exception):
        array = np.asarray(keras.ops.convert_to_numpy(values))
        if array.dtype.kind in "iufb" and 0 <= int(size) < _LARGE:
            number = array.astype("int8") if array.dtype.kind == "b" else array
            found.append(Use(layer, number, int(size), masks, given))
            return
    with contextlib.suppress(Exception):
        words = values.numpy() if hasattr(values, "numpy") else values
        found.append(Use(layer, np.asarray(words).astype("U"), int(size), masks, given))


_OBSERVED: dict[str, Callable[[Any], tuple[Any, bool, dict[str, Any]]]] = {
    "Embedding": lambda layer: (layer.input_dim, bool(layer.mask_zero), {}),
    "CategoryEncoding": lambda layer: (layer.num_tokens, False, {}),
    "Hashing": lambda layer: (0, False, {"hashed": True}),
    "Masking": lambda layer: (0, False, {"mask_value": float(layer.mask_value)}),
    "Normalization": lambda layer: (0, False, _statistics(layer)),
    "Rescaling": lambda layer: (0, False, _range(layer)),
    "Discretization": lambda layer: (0, False, {"bins": [float(b) for b in layer.bin_boundaries]}),
    "IntegerLookup": lambda layer: (0, False, {"words": layer.get_vocabulary()}),
    "StringLookup": lambda layer: (0, False, {"words": layer.get_vocabulary()}),
    "TextVectorization": lambda layer: (0, False, {"words": layer.get_vocabulary()}),
}
"""Layer class -> what it says: entries of its table, whether 0 is padding, and what else."""


def _statistics(layer: Any) -> dict[str, Any]:
    if layer.mean is None or layer.invert:
        return {}
    mean, variance = (keras.ops.convert_to_numpy(each) for each in (layer.mean, layer.variance))
    return {"mean": np.asarray(mean), "deviation": np.sqrt(np.asarray(variance))}


def _range(layer: Any) -> dict[str, Any]:
    scale, offset = np.max(np.asarray(layer.scale)), np.min(np.asarray(layer.offset))
    # 1 / 255 and 1 / 127.5 - 1 take bytes to [0, 1] and [-1, 1]; another scale says nothing of the range.
    return {"range": (0.0, float((1 - offset) / scale))} if 0 < scale < 0.1 else {}


@contextlib.contextmanager
def _observed(model: Any, found: list[Use]) -> Iterator[None]:
    """Record every call of the layers above, of ``ops.one_hot`` and of ``ops.take``."""
    kept: list[tuple[Any, str, Any]] = []

    def replace(owner: Any, name: str, made: Any) -> None:
        kept.append((owner, name, vars(owner).get(name)))
        setattr(owner, name, made)

    def observe(kind: Any) -> None:
        call, says = kind.call, _OBSERVED[kind.__name__]

        def observed(layer: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
            with contextlib.suppress(Exception):
                size, masks, given = says(layer)
                _record(found, kind.__name__, inputs, size, masks, **given)
            return call(layer, inputs, *rest, **named)

        replace(kind, "call", observed)

    def operation(kind: Any) -> None:
        call = kind.call

        def observed(each: Any, x: Any, *rest: Any, **named: Any) -> Any:
            if kind.__name__ == "OneHot":
                _record(found, "one_hot", x, each.num_classes, False)
            elif each.axis is not None and rest:
                with contextlib.suppress(Exception):  # looking must not break the call
                    _record(found, "take", rest[0], keras.ops.shape(x)[each.axis], False)
            return call(each, x, *rest, **named)

        replace(kind, "call", observed)

    one_hot, take = keras.ops.one_hot, keras.ops.take

    def hot(x: Any, num_classes: Any, *rest: Any, **named: Any) -> Any:
        _record(found, "one_hot", x, num_classes, False)
        return one_hot(x, num_classes, *rest, **named)

    def taken(x: Any, indices: Any, axis: Any = None) -> Any:
        if axis is not None:
            with contextlib.suppress(Exception):  # looking must not break the call
                _record(found, "take", indices, keras.ops.shape(x)[axis], False)
        return take(x, indices, axis=axis)

    try:
        for name in _OBSERVED:
            observe(getattr(keras.layers, name))
        for kind in _recorded_operations(model):
            operation(kind)
        replace(keras.ops, "one_hot", hot)
        replace(keras.ops, "take", taken)
        yield
    finally:
        for owner, name, value in reversed(kept):
            if value is None:  # it was inherited
                delattr(owner, name)
            else:
                setattr(owner, name, value)


def _recorded_operations(model: Any) -> set[Any]:
    """The classes of ``one_hot`` and ``take`` in graphs of Functional models, which call no ``ops``."""
    layers = all_layers(model) if isinstance(model, keras.layers.Layer) else []
    operations = [op for layer in layers for op in getattr(layer, "operations", ())]
    return {type(op) for op in operations if type(op).__name__ in ("OneHot", "Take")}
