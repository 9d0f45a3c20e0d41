"""``torch.utils.data.DataLoader``, one whole batch at a time, on whatever backend."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from portable_models.data.pipelines.pipeline import Feed, Pipeline, as_tuple, weighted
from portable_models.data.samples import Indices, Samples


class TorchDataLoaderPipeline(Pipeline):
    """A ``DataLoader`` whose items are whole batches: many times faster than one of single samples."""

    name = "torch.DataLoader"
    requires = ("torch",)

    def feed(
        self,
        samples: Samples,
        order: Indices,
        batch_size: int,
        *,
        class_weight: Mapping[int, float] | None = None,
    ) -> Feed:
        """See ``Pipeline.feed``."""
        return Feed(_loader(samples, order, batch_size, class_weight))


def _loader(
    samples: Samples, order: Indices, batch_size: int, class_weight: Mapping[int, float] | None
) -> Any:
    import torch
    from torch.utils.data import DataLoader, Dataset

    class Batches(Dataset):  # type: ignore[misc]  # torch is not followed by the type checker
        """Item i is batch i."""

        def __len__(self) -> int:
            return math.ceil(len(order) / batch_size)

        def __getitem__(self, index: int) -> Any:
            rows = order[index * batch_size : (index + 1) * batch_size]
            return _tensors(as_tuple(weighted(samples.take(rows), class_weight)))

    # Without a generator of its own a DataLoader draws a base seed from torch's global one.
    generator = torch.Generator().manual_seed(0)
    # Its own conversion would make lists of tuples, which TensorFlow refuses.
    return DataLoader(Batches(), batch_size=None, collate_fn=_as_it_is, generator=generator)


def _as_it_is(batch: Any) -> Any:
    return batch


def _tensors(structure: Any) -> Any:
    """Arrays as tensors, tuples as tuples."""
    import torch

    if isinstance(structure, tuple):
        return tuple(_tensors(item) for item in structure)
    if isinstance(structure, dict):
        return {key: _tensors(item) for key, item in structure.items()}
    return torch.as_tensor(structure)
