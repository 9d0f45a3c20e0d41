"""What an experiment is: data, variants, figures and claims. Users build their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from portable_models.data import DataSet
from portable_models.experiments.claim import Claim
from portable_models.experiments.procedures import Procedure
from portable_models.plots import Figure
from portable_models.training.recipe import Recipe


class UnknownVariantError(ValueError):
    """An experiment has no variant of this name."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One training inside an experiment.

    Args:
        name: short name; letters, digits and underscores.
        title: one line for people.
        build: makes a new, uncompiled model with its weights built, for the data set.
        recipe: the settings of the training.
        procedure: what is trained on, what is validated on, and what is measured at the end.
        sample_epochs: epochs on the embedded sample; None runs the recipe's own number there too.
    """

    name: str
    title: str
    build: Callable[[DataSet], Any]
    recipe: Recipe
    procedure: Procedure
    sample_epochs: int | None = None

    def __post_init__(self) -> None:
        if not self.name.replace("_", "").isalnum():
            raise ValueError(
                f"a variant's name is made of letters, digits and underscores; got {self.name!r}"
            )


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Data, variants, figures and claims.

    Args:
        name: short name, as it shows in reports.
        title: one line for people.
        description: what is trained and what it shows.
        load: gives the data set for ``"sample"``, ``"full"`` or a path; the second argument says whether
            pickled files of unknown hash may be trusted.
        variants: the trainings, in the order in which they run.
        figures: what is drawn from the variants' histories.
        claims: what was published of the experiment, each checkable.
    """

    name: str
    title: str
    description: str
    load: Callable[[str, bool], DataSet]
    variants: Sequence[Variant]
    figures: Sequence[Figure] = ()
    claims: Sequence[Claim] = ()

    def __post_init__(self) -> None:
        names = [variant.name for variant in self.variants]
        if not names or len(set(names)) != len(names):
            raise ValueError(
                f"experiment {self.name!r} needs variants with different names; got {names}"
            )

    def variant(self, name: str) -> Variant:
        """The variant of this name.

        Raises:
            UnknownVariantError: there is none.
        """
        for variant in self.variants:
            if variant.name == name:
                return variant
        known = ", ".join(variant.name for variant in self.variants)
        raise UnknownVariantError(
            f"unknown variant {name!r} of experiment {self.name}: expected one of {known}"
        )
