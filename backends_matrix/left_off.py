"""What a worker keeps of a cell while it runs, so that a resumed run goes on inside of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def left_off(
    folder: Path, checkpoint: int | None, environment: Mapping[str, Any]
) -> Iterator[None]:
    """Inside, a cell's trainings are kept every so many epochs, and go on from where they were left.

    Args:
        folder: the cell's; what was kept is removed from it once the cell is done.
        checkpoint: the number of epochs; None keeps nothing.
        environment: versions and settings: what other ones have left is not gone on with.
    """
    if checkpoint is None:
        yield
        return
    from portable_models.training.left_off import trainings_kept

    digest = hashlib.sha256(json.dumps(environment, sort_keys=True).encode()).hexdigest()
    kept = folder / f"left-off-{digest[:8]}"
    with trainings_kept(kept, checkpoint):
        yield
    shutil.rmtree(kept, ignore_errors=True)
