"""Trainings that are kept while they run, wherever in a study they happen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portable_models.data.samples import Samples
from portable_models.training.checkpoint import Checkpoint, Keeper
from portable_models.training.settings import Settings


@dataclass
class _Keeping:
    folder: Path
    every: int
    count: int = 0

    def following(self) -> Checkpoint:
        """The checkpoint of the next training."""
        self.count += 1
        return Checkpoint(self.folder / f"training-{self.count}.npz", self.every)


_KEEPING: ContextVar[_Keeping | None] = ContextVar("keeping", default=None)


@contextmanager
def trainings_kept(folder: Path, every: int) -> Iterator[None]:
    """Inside, every training without a checkpoint of its own has one in a folder, and goes on from it.

    They are told apart by their order, so what is done inside must be the same each time. The file of another
    training, as after a change of the study, is not used but replaced. Trainings with callbacks are not kept.

    Args:
        folder: made when the first file is written.
        every: epochs from one writing to the next, at least 1.
    """
    token = _KEEPING.set(_Keeping(folder, every))
    try:
        yield
    finally:
        _KEEPING.reset(token)


def keeper_of(
    checkpoint: Checkpoint | None, model: Any, samples: Samples, settings: Settings
) -> Keeper | None:
    """What keeps a training: its own checkpoint, or that of :func:`trainings_kept`, or nothing.

    Raises:
        ValueError: its own checkpoint cannot be used; see ``Keeper``.
    """
    if checkpoint is not None:
        return Keeper(checkpoint, model, samples, settings)
    keeping = _KEEPING.get()
    if keeping is None or settings.callbacks:
        return None
    following = keeping.following()
    try:
        return Keeper(following, model, samples, settings)
    except ValueError:
        Path(following.path).unlink()
        return Keeper(following, model, samples, settings)
