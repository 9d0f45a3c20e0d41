"""``keras.utils.PyDataset``, one batch at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from portable_models.data.pipelines.pipeline import Feed, Pipeline, as_tuple, weighted
from portable_models.data.samples import Indices, Samples


class PyDatasetPipeline(Pipeline):
    """A ``PyDataset`` with one worker: with more, Keras delivers the first epoch's batches out of order."""

    name = "PyDataset"

    def feed(
        self,
        samples: Samples,
        order: Indices,
        batch_size: int,
        *,
        class_weight: Mapping[int, float] | None = None,
    ) -> Feed:
        """See ``Pipeline.feed``."""
        return Feed(_dataset(samples, order, batch_size, class_weight))


def _dataset(
    samples: Samples, order: Indices, batch_size: int, class_weight: Mapping[int, float] | None
) -> Any:
    import keras

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no complete types
        """The samples in the given order; Keras itself must not shuffle them."""

        def __len__(self) -> int:
            return math.ceil(len(order) / batch_size)

        def __getitem__(self, index: int) -> tuple[Any, ...]:
            rows = order[index * batch_size : (index + 1) * batch_size]
            return as_tuple(weighted(samples.take(rows), class_weight))

    return Batches(workers=1)
