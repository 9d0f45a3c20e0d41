"""The HDF5 file of weights: looked through before Keras opens it.

HDF5 can point to other files (external links, external storage, virtual data sets), declare arrays
that it does not store, load filters as shared libraries, and hold cycles. Keras writes none of these:
plain groups, and data sets of numbers.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np

from portable_models.files.errors import DEFAULT_LIMITS, FileError, Limits, one_line, shorten

# deflate, shuffle, fletcher32, lzf: built into every h5py. Any other would be loaded as a plugin.
_FILTERS = frozenset({1, 2, 3, 32000})
# ml_dtypes types (bfloat16, float8 …) are stored as opaque bytes, and Keras says which in an attribute.
_OPAQUE = re.compile(r"bfloat16|float8_\w+|u?int4")
_OPTIMIZER_STATE = "optimizer/vars/"
_ROWS = 1 << 20


@dataclass(frozen=True)
class WeightsInfo:
    """What was found in the weights.

    Args:
        shapes: the shape of each data set by its path.
        notes: lines about what is odd but accepted, such as NaN.
    """

    shapes: dict[str, tuple[int, ...]]
    notes: list[str] = field(default_factory=list)

    @property
    def elements(self) -> int:
        """The number of elements stored, all data sets together."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @property
    def optimizer_variables(self) -> int:
        """The number of variables in the optimizer's state; 0 where none was saved."""
        return sum(path.startswith(_OPTIMIZER_STATE) for path in self.shapes)


def check_weights(content: bytes, limits: Limits = DEFAULT_LIMITS) -> WeightsInfo:
    """Look through ``model.weights.h5`` without following any link.

    Args:
        content: the member's bytes.
        limits: bounds; ``expansion``, ``free_bytes``, ``objects`` and ``depth`` are used.

    Raises:
        FileError: it is not HDF5 or is damaged; it holds links, external or virtual storage, a filter
            that needs a plugin, anything but numbers, or declares arrays that it does not store.
    """
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            datasets = dict(_datasets(file, limits))
            declared = sum(_declared(dataset) for dataset in datasets.values())
            if declared > limits.free_bytes and declared > limits.expansion * len(content):
                raise FileError(
                    f"model.weights.h5 declares {declared} bytes but holds {len(content)}: a bomb"
                )
            shapes = {path: tuple(dataset.shape) for path, dataset in datasets.items()}
            notes = [note for path, dataset in datasets.items() for note in _notes(path, dataset)]
            return WeightsInfo(shapes, notes)
    except FileError:
        raise
    except Exception as error:
        # For damage h5py raises OSError, KeyError, RuntimeError, ValueError and more.
        raise FileError(f"model.weights.h5 is damaged: {one_line(str(error), 120)}") from error


def _datasets(file: Any, limits: Limits) -> Iterator[tuple[str, Any]]:
    """Every data set with its path, after checking all links and objects on the way."""
    stack: list[tuple[str, Any]] = [("", file)]
    count = 0
    while stack:
        prefix, group = stack.pop()
        for name in group:
            path = f"{prefix}{name}"
            where = f"model.weights.h5: {shorten(path)}"
            count += 1
            if count > limits.objects or path.count("/") > limits.depth:
                raise FileError(f"{where}: too many objects or too deep")
            kind = group.get(name, getlink=True)
            if not isinstance(kind, h5py.HardLink):
                raise FileError(
                    f"{where} is a {type(kind).__name__} to another place; expected the data itself"
                )
            item = group[name]
            # A second name for one object is how a cycle is made.
            if h5py.h5o.get_info(item.id).rc > 1:
                raise FileError(f"{where} has two names; expected a plain tree")
            if isinstance(item, h5py.Dataset):
                _check_dataset(where, item, limits)
                yield path, item
            elif isinstance(item, h5py.Group):
                stack.append((f"{path}/", item))
            else:
                raise FileError(f"{where} is neither a group nor a data set")


def _check_dataset(where: str, dataset: Any, limits: Limits) -> None:
    if dataset.is_virtual or dataset.external:
        raise FileError(f"{where} has its data in another file (external or virtual storage)")
    properties = dataset.id.get_create_plist()
    filters = {properties.get_filter(index)[0] for index in range(properties.get_nfilters())}
    if not filters <= _FILTERS:
        raise FileError(
            f"{where} needs the HDF5 filters {sorted(filters - _FILTERS)}, which load plugins"
        )
    opaque = dataset.dtype.kind == "V" and not dataset.dtype.fields and not dataset.dtype.subdtype
    if dataset.dtype.kind not in "biufc" and not (
        opaque and _OPAQUE.fullmatch(str(dataset.attrs.get("dtype")))
    ):
        raise FileError(f"{where} holds {shorten(str(dataset.dtype))}; expected numbers")
    declared, stored = _declared(dataset), dataset.id.get_storage_size()
    if declared > limits.free_bytes and declared > limits.expansion * stored:
        raise FileError(
            f"{where} declares the shape {shorten(dataset.shape)} "
            f"({declared} bytes) but stores {stored} bytes"
        )


def _declared(dataset: Any) -> int:
    """Bytes that reading takes: those of the array, or of one chunk, which is unpacked as a whole."""
    elements = max(math.prod(dataset.shape), math.prod(dataset.chunks or ()))
    return int(elements) * int(dataset.dtype.itemsize)


def _notes(path: str, dataset: Any) -> Iterator[str]:
    """A line if the data set holds NaN or infinity; read in pieces, so that memory stays small."""
    if dataset.dtype.kind not in "fc":
        return
    flat = dataset[()].reshape(-1)
    bad = sum(
        int(np.count_nonzero(~np.isfinite(flat[start : start + _ROWS])))
        for start in range(0, flat.size, _ROWS)
    )
    if bad:
        yield f"{path} holds {bad} values of {flat.size} that are NaN or infinite"
