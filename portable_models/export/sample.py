"""The user's own inputs, ``--sample FILE.npz``: what a model really meets says most about an artifact."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portable_models.export.errors import ExportError
from portable_models.export.signature import Signature

Array = NDArray[Any]


def read_sample(path: Path) -> Mapping[str, Array]:
    """The arrays of the file, without pickles.

    Raises:
        ExportError: there is no such file, it is no ``.npz`` file, or it holds Python objects.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    except FileNotFoundError:
        raise ExportError(f"--sample {path}: there is no such file") from None
    except (ValueError, OSError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise ExportError(
            f"--sample {path}: expected an .npz file of plain arrays (numpy.savez), got: {error}"
        ) from None


def by_input(arrays: Mapping[str, Array], signature: Signature, *, typed: bool) -> dict[str, Array]:
    """The sample's arrays by the names of the inputs.

    They are found under the input's name, ``x/NAME``, ``x0``, ``x1`` … in order, or ``x`` for one input.
    Other arrays of the file, such as targets ``y``, are left alone.

    Args:
        arrays: the file's.
        signature: the model's inputs.
        typed: whether the dtypes of the signature are known to be the model's.

    Raises:
        ExportError: an input has no array, or one of another shape or of values that its dtype cannot
            hold, or the numbers of rows differ.
    """
    found: dict[str, Array] = {}
    for position, tensor in enumerate(signature.inputs):
        names = [tensor.name, f"x/{tensor.name}", f"x{position}"]
        names += ["x"] if len(signature.inputs) == 1 else []
        name = next((each for each in names if each in arrays), None)
        if name is None and len(signature.inputs) == len(arrays) == 1:
            name = next(iter(arrays))
        if name is None:
            raise ExportError(
                f"--sample has no array for the input {tensor.name!r}; it holds "
                f"{', '.join(arrays) or 'nothing'}. Name the arrays as the inputs: "
                f"{', '.join(each.name for each in signature.inputs)}"
            )
        value = arrays[name]
        fits = len(value.shape) == len(tensor.shape) and all(
            size is None or size == given
            for size, given in zip(tensor.shape[1:], value.shape[1:], strict=True)
        )
        if not fits:
            raise ExportError(
                f"--sample: the array {name!r} has the shape {list(value.shape)}; the input "
                f"{tensor.name!r} takes {['rows', *tensor.shape[1:]]}"
            )
        if typed and not _holds(tensor.dtype, value):
            raise ExportError(
                f"--sample: the array {name!r} holds values that the input {tensor.name!r} of dtype "
                f"{tensor.dtype} cannot hold, such as {value.ravel()[0]!r}; give them as the model takes them"
            )
        found[tensor.name] = value
    if len({len(value) for value in found.values()}) > 1 or not all(map(len, found.values())):
        counts = ", ".join(f"{name}: {len(value)}" for name, value in found.items())
        raise ExportError(f"--sample: every input needs the same number of rows, got {counts}")
    return found


def _holds(dtype: str, value: Array) -> bool:
    """Whether whole numbers stay what they are; floating-point ones may be rounded."""
    if not dtype.startswith(("int", "uint", "bool")) or value.dtype.kind not in "iufb":
        return True
    with np.errstate(invalid="ignore"):
        return bool(np.array_equal(value.astype(dtype), value))
