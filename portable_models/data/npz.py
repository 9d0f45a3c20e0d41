"""Arrays in an ``.npz`` file that is there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from portable_models.data.samples import Array


def write_npz(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays of plain numbers; a file that is there is replaced at once, also by several processes.

    Raises:
        OSError: the file cannot be written. What was there before is there still.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # one array each
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
