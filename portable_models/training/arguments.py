"""The data arguments of ``Model.fit``: what they hold, as arrays where they are arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from portable_models.data.samples import ArraySamples, Samples, arrays_of, map_arrays

DEFAULT_BATCH = 32
"""Keras's batch size where none is given."""


@dataclass(frozen=True, eq=False)
class Given:
    """What the user handed to ``fit``, for ``Model.fit`` to take as it is.

    Args:
        keywords: keyword arguments of ``Model.fit``, as the user gave them.
        order_is_ours: whether the data is arrays that are to be shuffled, so that the order of each epoch
            is drawn from the seed.
        why_not_arrays: why the data cannot be read by row; empty where it can.
    """

    keywords: Mapping[str, Any] = field(default_factory=dict)
    order_is_ours: bool = False
    why_not_arrays: str = ""


class _NotArraysError(Exception):
    """The data is no structure of numeric arrays; the message says what it is."""


def try_samples(
    x: Any, y: Any, sample_weight: Any, class_weight: Any = None
) -> tuple[Samples | None, str]:
    """The samples, or None and the reason why they cannot be read by row."""
    try:
        return _samples_of(x, y, sample_weight, class_weight), ""
    except _NotArraysError as error:
        return None, str(error)


def _samples_of(x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Samples:
    """Inputs, targets and weights as samples that can be read by row.

    Conversions are those of Keras's array adapter: a pandas Series of shape ``(n,)`` becomes ``(n, 1)``, one
    array of sample weights serves every output, and a class that ``class_weight`` does not name weighs 1.

    Raises:
        _NotArraysError: the arguments are something that only Keras can read, or that it refuses.
    """
    if hasattr(x, "take") and hasattr(x, "subset") and hasattr(x, "digest"):
        if y is not None or sample_weight is not None or class_weight is not None:
            raise ValueError(
                "samples hold their targets and weights: give fit() neither y nor weights beside them"
            )
        return x  # type: ignore[no-any-return]
    if x is None:
        raise _NotArraysError("there is no x")
    if any(_holds_none(part) for part in (x, y, sample_weight)):
        raise _NotArraysError("a None stands among the arrays")
    x, y, weight = (map_arrays(_array, part) for part in (x, y, sample_weight))
    if class_weight is not None:
        if weight is not None or not isinstance(y, np.ndarray):
            raise _NotArraysError(
                "class_weight goes with one array of targets and no sample_weight"
            )
        weight = class_weights(y, class_weight)
    elif isinstance(weight, np.ndarray) and isinstance(y, (list, tuple, Mapping)):
        if weight.ndim != 1 and weight.shape[1:] != (1,):
            raise _NotArraysError("several outputs need one weight for each sample")
        one = weight
        weight = map_arrays(lambda _: one, y)
    if len({len(array) for array in arrays_of((x, y, weight))}) != 1:
        raise _NotArraysError("the arrays do not have the same number of rows")
    return ArraySamples(x, y, weight)


def _holds_none(structure: Any) -> bool:
    """Whether a list or dict of arrays has a None in it; a None by itself is no data."""
    if isinstance(structure, Mapping):
        structure = list(structure.values())
    if not isinstance(structure, (list, tuple)):
        return False
    return any(part is None or _holds_none(part) for part in structure)


def unpack(validation_data: Any) -> tuple[Any, Any, Any]:
    """``validation_data`` as ``(x, y, sample_weight)``, as Keras reads it."""
    if isinstance(validation_data, list):
        validation_data = tuple(validation_data)
    if isinstance(validation_data, tuple) and 1 <= len(validation_data) <= 3:
        x, y, weight = (*validation_data, None, None)[:3]
        return x, y, weight
    return validation_data, None, None


def split_at(samples: Samples, validation_split: float) -> tuple[Samples, Samples] | None:
    """Training and validation rows: the last part validates, before any shuffling.

    None where one of them would be empty, which Keras refuses.
    """
    count = len(samples)
    place = math.floor(count * (1.0 - validation_split))
    if not 0 < place < count:
        return None
    every = np.arange(count)
    return samples.subset(every[:place]), samples.subset(every[place:])


def class_weights(y: Any, class_weight: Mapping[int, float]) -> Any:
    """The weight of each sample by its class; float32 of shape ``(n,)``. Classes not named weigh 1."""
    classes = y.argmax(axis=-1) if y.ndim > 1 and y.shape[-1] != 1 else y.reshape(len(y))
    numbers, inverse = np.unique(np.round(classes).astype("int32"), return_inverse=True)
    table = np.array([class_weight.get(int(each), 1.0) for each in numbers], np.float32)
    return table[inverse]


def _array(given: Any) -> Any:
    """One leaf as a NumPy array of numbers with rows."""
    kind = type(given)
    module, name = kind.__module__.partition(".")[0], kind.__name__
    if any(word in name for word in ("Sparse", "Ragged", "BCOO", "csr", "csc", "coo")):
        raise _NotArraysError(f"{name} is not dense")
    if isinstance(given, np.ma.MaskedArray):
        raise _NotArraysError("a masked array has values that are not there")
    if module == "pandas":
        # As Keras's array adapter does: a Series is a column.
        array = np.asarray(given.to_numpy())
        array = array[:, None] if array.ndim == 1 else array
    elif hasattr(given, "detach"):
        array = _numpy(given.detach().cpu(), name)
    elif hasattr(given, "__array__"):
        array = _numpy(given, name)
    else:
        raise _NotArraysError(f"{name} is read batch by batch")
    if array.dtype.kind not in "biuf":
        raise _NotArraysError(f"the data holds {array.dtype.name} values, not numbers")
    if not array.ndim:
        raise _NotArraysError("a single number has no rows")
    return array


def _numpy(given: Any, name: str) -> Any:
    try:
        return np.asarray(given)
    except Exception as error:
        raise _NotArraysError(f"{name} gives no NumPy array ({type(error).__name__})") from None


def random_order_of(x: Any) -> str:
    """Why a data set that is read batch by batch has a random order; empty where none is known.

    A ``DataLoader`` is looked at by its sampler, a ``tf.data.Dataset`` by the stages that it is made of.
    """
    sampler = type(getattr(x, "sampler", None)).__name__
    if "Random" in sampler:
        return f"the data loader shuffles ({sampler})"
    stages, seen = [x], 0
    while stages and seen < 100:
        stage, seen = stages.pop(), seen + 1
        if "Shuffle" in type(stage).__name__:
            return "the tf.data pipeline shuffles"
        inputs = getattr(stage, "_inputs", None)
        if callable(inputs) and type(stage).__module__.startswith("tensorflow"):
            stages += list(inputs())
    if getattr(x, "workers", 1) and getattr(x, "workers", 1) > 1 and hasattr(x, "num_batches"):
        return "a PyDataset with several workers delivers the first batches out of order"
    return ""
