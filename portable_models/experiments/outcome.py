"""What an experiment's variants came to on one backend. Free of keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from portable_models.training.history import History, Training


@dataclass(frozen=True)
class Example:
    """A test sample that people can read, beside what the model says of it.

    Args:
        text: the sample, decoded.
        probability: the model's prediction.
        label: the truth.
    """

    text: str
    probability: float
    label: float


@dataclass(frozen=True)
class Outcome:
    """One variant's training, and what is known about it.

    Args:
        training: history, final metrics and digests.
        epochs: how many epochs the variant's own recipe asks for; fewer may have been run.
        parameters: number of the model's weights.
        samples: number of samples by part: ``train``, ``validation``, ``test``.
        real_data: False where the samples are synthetic.
        examples: decoded test samples with predictions.
    """

    training: Training
    epochs: int
    parameters: int = 0
    samples: Mapping[str, int] = field(default_factory=dict)
    real_data: bool = True
    examples: Sequence[Example] = ()

    @property
    def history(self) -> History:
        """Metric name -> one value per epoch."""
        return self.training.history

    @property
    def final(self) -> Mapping[str, float]:
        """Metrics measured once, after the last epoch."""
        return self.training.final

    @property
    def epochs_run(self) -> int:
        """How many epochs were run."""
        return len(next(iter(self.history.values()), []))

    def last(self, metric: str) -> float:
        """The last epoch's value of a metric."""
        return self.history[metric][-1]

    def lowest(self, metric: str) -> float:
        """The smallest value of a metric over all epochs."""
        return min(self.history[metric])

    def lowest_epoch(self, metric: str) -> int:
        """The epoch, from 1, at which a metric is smallest."""
        return int(np.argmin(self.history[metric])) + 1

    def rise(self, metric: str) -> float:
        """How far the last value of a metric lies above its smallest."""
        return self.last(metric) - self.lowest(metric)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; ``from_json`` is the inverse."""
        return {
            "history": self.history,
            "final": dict(self.final),
            "digests": dict(self.training.digests),
            "engine": self.training.engine,
            "engine_reason": self.training.engine_reason,
            "compile_seconds": self.training.compile_seconds,
            "epochs": self.epochs,
            "parameters": self.parameters,
            "samples": dict(self.samples),
            "real_data": self.real_data,
            "examples": [vars(example) for example in self.examples],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Outcome:
        """The outcome that ``to_json`` wrote."""
        return cls(
            Training(
                value["history"],
                value["engine"],
                value["engine_reason"],
                value["digests"],
                value["final"],
                value["compile_seconds"],
            ),
            epochs=value["epochs"],
            parameters=value["parameters"],
            samples=value["samples"],
            real_data=value["real_data"],
            examples=[Example(**example) for example in value["examples"]],
        )
