"""How a compiled model is trained, besides its data: the arguments of ``Model.fit`` and a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portable_models.training.callbacks import make_callbacks
from portable_models.training.recipe import Recipe

RECIPE_VALIDATION_BATCH = 512
"""Samples per validation step of a study: it changes nothing but speed, up to rounding of the mean."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Settings:
    """The settings of one training.

    Args:
        epochs: the epoch to end after, counted from 1.
        batch_size: samples per step; the last batch of an epoch may be smaller.
        seed: decides masks and the order of samples.
        shuffle: draw a new order for each epoch.
        class_weight: factor of each class.
        callbacks: callback objects, made for this training.
        initial_epoch: the first epoch, counted from 0.
        validation_freq: every how many epochs, or after which (counted from 1), validation runs.
        validation_batch_size: samples per validation step.
        verbose: as of ``Model.fit``.
    """

    epochs: int
    batch_size: int
    seed: int = 0
    shuffle: bool = True
    class_weight: Mapping[int, float] | None = None
    callbacks: Sequence[Any] = ()
    initial_epoch: int = 0
    validation_freq: int | Sequence[int] = 1
    validation_batch_size: int = RECIPE_VALIDATION_BATCH
    verbose: Any = 0

    @classmethod
    def of(cls, recipe: Recipe) -> Settings:
        """The settings of a recipe, with new callbacks."""
        return cls(
            epochs=recipe.epochs,
            batch_size=recipe.batch_size,
            seed=recipe.seed,
            shuffle=recipe.shuffle,
            class_weight=recipe.class_weight,
            callbacks=tuple(make_callbacks(recipe)),
            validation_batch_size=RECIPE_VALIDATION_BATCH,
        )

    def validates_after(self, epoch: int) -> bool:
        """Whether validation runs after an epoch (from 0), as ``Model.fit`` decides it."""
        if isinstance(self.validation_freq, int):
            return (epoch + 1) % self.validation_freq == 0
        return epoch + 1 in self.validation_freq

    @property
    def validates_always(self) -> bool:
        """Whether validation runs after every epoch."""
        return self.validation_freq == 1
