"""Checkpoints of a running cell, so that a resumed run continues inside the cell."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def keep_checkpoints(
    folder: Path, checkpoint: int | None, environment: Mapping[str, Any]
) -> Iterator[None]:
    """Write a checkpoint of the cell's trainings every so many epochs, and continue from an earlier one.

    Args:
        folder: the cell's folder; its checkpoints are removed once the cell is done.
        checkpoint: epochs between two checkpoints; None writes none.
        environment: versions and settings; checkpoints of other versions are ignored.
    """
    if checkpoint is None:
        yield
        return
    from portable_models.training.left_off import trainings_kept

    digest = hashlib.sha256(json.dumps(environment, sort_keys=True).encode()).hexdigest()
    kept = folder / f"checkpoints-{digest[:8]}"
    with trainings_kept(kept, checkpoint):
        yield
    shutil.rmtree(kept, ignore_errors=True)
