"""What a model's inputs mean, found out by running it: dtypes, ranges, statistics, sizes of free axes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from portable_models._keras.layers import all_layers
from portable_models.export import reached, sizes
from portable_models.export.inspection import View
from portable_models.export.reached import Use
from portable_models.export.signature import Signature, Tensor, Values, nested_tuples

Array = NDArray[Any]

ROWS = 2
MOST_WORDS = 200
"""Words of a vocabulary that are kept to draw from, spread over the whole of it."""

_TELLING = (
    keras.layers.Embedding,
    keras.layers.CategoryEncoding,
    keras.layers.Hashing,
    keras.layers.Masking,
    keras.layers.Normalization,
    keras.layers.Rescaling,
    keras.layers.Discretization,
    keras.layers.IntegerLookup,
    keras.layers.StringLookup,
    keras.layers.TextVectorization,
)


def discover(seen: View, fixed: Mapping[str, int] | None = None) -> View:
    """Find out what the inputs mean.

    Args:
        seen: the model as its definition describes it.
        fixed: sizes that the user gave to free axes, by name.

    Returns:
        The same model with ``limit``, ``values`` and ``symbols`` of each input.

    Raises:
        ExportError: a size was given for an axis that is not free.
    """
    inputs = sizes.with_sizes(seen.signature.inputs, fixed or {})
    outputs = seen.signature.outputs
    inputs = _values(seen, inputs)
    if sizes.has_free_axis(inputs):
        inputs = _sizes(seen, inputs)
    return replace(seen, signature=Signature(tuple(inputs), outputs))


def _runs(seen: View, inputs: Sequence[Tensor], flat: Sequence[Array]) -> bool:
    try:
        seen([_tensor(value) for value in flat])
    except Exception:
        # Any error of the model: these inputs are not what it takes. The reference says which it was.
        return False
    return True


def _tensor(value: Array) -> Any:
    # Words stay NumPy's: only TensorFlow has tensors of them, and it converts them itself.
    return value if value.dtype.kind == "U" else keras.ops.convert_to_tensor(value)


def _zeros(inputs: Sequence[Tensor]) -> list[Array]:
    shapes = sizes.concrete(inputs, ROWS)
    return [
        np.full(shape, "") if t.dtype == "string" else np.zeros(shape, numpy_dtype(t.dtype))
        for t, shape in zip(inputs, shapes, strict=True)
    ]


def numpy_dtype(dtype: str) -> str:
    """NumPy's dtype for a Keras dtype; NumPy has no bfloat16."""
    return "float32" if dtype == "bfloat16" else dtype


def find_dtypes(seen: View, sample: Mapping[str, Array] | None) -> tuple[Tensor, ...]:
    """The inputs of a model that is only code, with the dtype of each.

    The user's sample says it. Else an input is float where the model runs on that and looks no table up
    by it, and int32 otherwise.
    """
    inputs = seen.signature.inputs
    if sample is not None and all(tensor.name in sample for tensor in inputs):
        return tuple(replace(t, dtype=_plain(sample[t.name].dtype)) for t in inputs)
    floats = chosen = inputs
    for kinds in itertools.product((False, True), repeat=min(len(inputs), 6)):
        integer = dict(enumerate(kinds))
        tried = tuple(
            replace(t, dtype="int32") if integer.get(i) else t for i, t in enumerate(floats)
        )
        if _runs(seen, tried, _zeros(tried)):
            chosen = tried
            break
    uses = reached.find_uses(seen.model, _caller(seen), _zeros(chosen))
    return tuple(
        replace(t, dtype="int32") if reached.narrowest(each) is not None else t
        for t, each in zip(chosen, uses, strict=True)
    )


def _plain(dtype: Any) -> str:
    if np.dtype(dtype).kind in "US":
        return "string"
    name = str(np.dtype(dtype).name)
    return {"float64": "float32", "int64": "int32"}.get(name, name)


def _caller(seen: View) -> Any:
    return lambda flat: seen([_tensor(value) for value in flat])


def _values(seen: View, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """What the layers that each input reaches say of its values."""
    if not _can_tell(seen.model, inputs):
        return tuple(inputs)
    uses = reached.find_uses(seen.model, _caller(seen), _zeros(inputs))
    return tuple(_described(t, each) for t, each in zip(inputs, uses, strict=True))


def _can_tell(model: Any, inputs: Sequence[Tensor]) -> bool:
    """Whether running the model may tell more than its definition: a large CNN is not run for nothing."""
    if any(not tensor.dtype.startswith(("float", "bfloat")) for tensor in inputs):
        return True
    layers = all_layers(model)
    own = any(type(each).__module__.partition(".")[0] != "keras" for each in layers)
    graph = any(
        type(op).__name__ in ("OneHot", "Take")
        for each in layers
        for op in getattr(each, "operations", ())
    )
    return own or graph or any(isinstance(each, _TELLING) for each in layers)


def _described(tensor: Tensor, uses: Sequence[tuple[Use, Use]]) -> Tensor:
    lookup = reached.narrowest(uses)
    if lookup is not None:
        source = next(old.layer for old, _ in uses if old.size)
        values = Values(source, masks=lookup.masks)
        return replace(tensor, limit=lookup.size, values=values)
    for old, new in uses:
        found = _said(old, reached.is_direct(old, new))
        if found is not None:
            mask = next((o.given["mask_value"] for o, _ in uses if "mask_value" in o.given), None)
            return replace(tensor, values=replace(found, mask_value=mask))
    return tensor


def _said(use: Use, direct: bool) -> Values | None:
    """What one layer says; what it says of another tensor than the input itself does not count."""
    given = use.given
    if "words" in given:
        return Values(use.layer, choices=_spread(given["words"]))
    if "hashed" in given:
        # Hashing takes any number and any word; these reach many of its bins.
        words = use.values.dtype.kind == "U"
        return Values(use.layer, choices=tuple(f"w{n}" if words else n * 977 for n in range(50)))
    if not direct:
        return None
    if "mean" in given:
        mean, deviation = (nested_tuples(given[k].tolist()) for k in ("mean", "deviation"))
        return Values(use.layer, mean=mean, deviation=deviation)
    if "range" in given:
        low, high = given["range"]
        return Values(use.layer, low, high)
    if given.get("bins"):
        low, high = min(given["bins"]), max(given["bins"])
        margin = max((high - low) / 4, 1.0)
        return Values(use.layer, low - margin, high + margin)
    if "mask_value" in given:
        return Values(use.layer, mask_value=given["mask_value"])
    return None


def _spread(words: Sequence[Any]) -> tuple[Any, ...]:
    """Words of all parts of a vocabulary, and one that is not in it."""
    step = max(1, len(words) // MOST_WORDS)
    plain = [w.item() if hasattr(w, "item") else w for w in words[::step]]
    strings = any(isinstance(w, str) for w in plain)
    chosen = [w for w in plain if w not in ("", "[UNK]", -1)]
    unseen: Any = "never seen" if strings else max([0, *chosen]) + 7
    return (*chosen, unseen)


def _sizes(seen: View, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The most different sizes of free axes that the model takes; as they were where it takes none."""
    for tried in sizes.ways(inputs):
        shapes = [sizes.concrete(tried, ROWS), sizes.concrete(tried, ROWS + 1, other=True)]
        if all(_runs(seen, tried, _fill(tried, each)) for each in shapes):
            return tried
    return tuple(inputs)


def _fill(inputs: Sequence[Tensor], shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """Ones: a mask of zeros would leave nothing."""
    filled = []
    for tensor, shape in zip(inputs, shapes, strict=True):
        if tensor.dtype == "string":
            filled.append(np.full(shape, "a"))
        else:
            one = 0 if tensor.limit == 1 else 1
            filled.append(np.full(shape, one, numpy_dtype(tensor.dtype)))
    return filled
