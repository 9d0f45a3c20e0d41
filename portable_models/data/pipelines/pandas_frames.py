"""pandas data frames, handed over whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portable_models.data.pipelines.pipeline import Feed, Pipeline, weighted
from portable_models.data.samples import Indices, Samples, Structure


class PandasPipeline(Pipeline):
    """A data frame of features and a series of targets, in the epoch's order."""

    name = "pandas"
    requires = ("pandas",)

    def feed(
        self,
        samples: Samples,
        order: Indices,
        batch_size: int,
        *,
        class_weight: Mapping[int, float] | None = None,
    ) -> Feed:
        """See ``Pipeline.feed``."""
        x, y, sample_weight = weighted(samples.take(order), class_weight)
        return Feed(_frames(x), _frames(y), sample_weight, batch_size)


def _frames(structure: Structure) -> Any:
    import pandas as pd

    if isinstance(structure, tuple):
        return tuple(_frames(array) for array in structure)
    if isinstance(structure, dict):
        return {key: _frames(array) for key, array in structure.items()}
    if structure.ndim > 2:
        raise ValueError(
            f"a data frame has rows and columns; got an array of shape {structure.shape}. "
            "Use another pipeline for it"
        )
    return pd.DataFrame(structure) if structure.ndim == 2 else pd.Series(structure)
