"""What a pipeline is: an epoch's samples, in a given order, as something that ``Model.fit`` takes."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from portable_models.data.samples import Array, Batch, Indices, Samples, Structure


class PipelineUnavailableError(RuntimeError):
    """A package that the pipeline needs is not installed."""


@dataclass(frozen=True)
class Feed:
    """What is handed to Keras for one pass over the samples.

    Args:
        x: arrays, or an object that yields whole batches.
        y: targets, or None where ``x`` yields them.
        sample_weight: weights, or None where ``x`` yields them or there are none.
        batch_size: samples per batch, or None where ``x`` yields whole batches.
    """

    x: Any
    y: Any = None
    sample_weight: Any = None
    batch_size: int | None = None

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for ``Model.fit`` or ``Model.evaluate``."""
        given = {
            "x": self.x,
            "y": self.y,
            "sample_weight": self.sample_weight,
            "batch_size": self.batch_size,
        }
        return {name: value for name, value in given.items() if value is not None}

    def validation_arguments(self) -> dict[str, Any]:
        """The same as the validation arguments of ``Model.fit``."""
        if self.y is None:
            return {"validation_data": self.x}
        data = (
            (self.x, self.y) if self.sample_weight is None else (self.x, self.y, self.sample_weight)
        )
        return {"validation_data": data, "validation_batch_size": self.batch_size}


class Pipeline(ABC):
    """One way in which samples reach Keras."""

    name: str
    requires: tuple[str, ...] = ()

    def require(self) -> None:
        """Check that the packages this pipeline needs are installed, without importing them.

        Raises:
            PipelineUnavailableError: one is not installed.
        """
        for package in self.requires:
            if importlib.util.find_spec(package) is None:
                raise PipelineUnavailableError(
                    f"the pipeline {self.name} needs the package {package}, which is not installed"
                )

    @abstractmethod
    def feed(
        self,
        samples: Samples,
        order: Indices,
        batch_size: int,
        *,
        class_weight: Mapping[int, float] | None = None,
    ) -> Feed:
        """The samples in this order, in batches of ``batch_size``, the last one possibly smaller.

        Args:
            samples: what is read.
            order: indices into ``samples``, int64, shape ``(n,)``.
            batch_size: samples per batch.
            class_weight: factor per class. It is multiplied into the sample weights here, because Keras
                refuses ``class_weight`` for inputs that are not arrays.
        """


def weighted(batch: Batch, class_weight: Mapping[int, float] | None) -> Batch:
    """The batch with ``class_weight`` multiplied into its sample weights.

    Classes are the targets themselves, or the largest entry of each where they are one-hot rows.

    Raises:
        ValueError: targets of several outputs, or a class that ``class_weight`` does not name.
    """
    if class_weight is None:
        return batch
    if not isinstance(batch.y, np.ndarray):
        raise ValueError("class_weight needs a model with one output; give sample_weight instead")
    y: Array = batch.y
    classes = y.argmax(axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y)).astype(int)
    unknown = sorted(set(np.unique(classes).tolist()) - set(class_weight))
    if unknown:
        raise ValueError(
            f"class_weight names the classes {sorted(class_weight)}; the targets also hold {unknown}"
        )
    table = np.array(
        [class_weight.get(index, 0.0) for index in range(max(class_weight) + 1)], np.float32
    )
    weights = table[classes]
    if batch.sample_weight is not None:
        weights = weights * batch.sample_weight.astype(np.float32)
    return Batch(batch.x, batch.y, weights)


def batches(
    samples: Samples, order: Indices, batch_size: int, class_weight: Mapping[int, float] | None
) -> Iterator[Batch]:
    """Whole batches in order, the last one possibly smaller."""
    for start in range(0, len(order), batch_size):
        yield weighted(samples.take(order[start : start + batch_size]), class_weight)


def as_tuple(batch: Batch) -> tuple[Structure, ...]:
    """The batch as Keras wants it from an iterable: ``(x, y)`` or ``(x, y, sample_weight)``."""
    if batch.sample_weight is None:
        return batch.x, batch.y
    return batch.x, batch.y, batch.sample_weight
