"""NumPy arrays, handed over whole."""

from __future__ import annotations

from collections.abc import Mapping

from portable_models.data.pipelines.pipeline import Feed, Pipeline, weighted
from portable_models.data.samples import Indices, Samples


class NumpyPipeline(Pipeline):
    """NumPy arrays that are already in the epoch's order; Keras cuts them into batches."""

    name = "numpy"

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
        return Feed(x, y, sample_weight, batch_size)
