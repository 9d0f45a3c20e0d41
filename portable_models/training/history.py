"""What came out of a training: one number per metric and epoch. Free of keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

History = dict[str, list[float]]
"""Metric name -> one value per epoch; validation metrics begin with ``val_``."""


def epochs_of(history: Mapping[str, Sequence[float]]) -> int:
    """How many epochs a history holds."""
    return max(map(len, history.values()), default=0)


@dataclass(frozen=True)
class Training:
    """The outcome of one training: the history as Keras gives it, and what went in.

    Args:
        history: one value per metric and epoch.
        epoch: the epochs that ran, counted from 0.
        params: ``epochs``, ``steps`` and ``verbose``, as Keras's ``History`` has them.
        model: the model that was trained.
        engine: the engine that ran, ``"keras"`` or ``"compiled"``.
        engine_reason: why another engine ran than the one asked for, or finished the training; empty where
            none did.
        apart_because: why it was trained by itself though it is a member of several, where members could be
            trained together; empty elsewhere.
        digests: SHA-256 of what went in: ``order``, ``batches``, ``initial_weights``, ``dropout_masks``.
        final: metrics measured once, after the last epoch.
        compile_seconds: wall time of tracing and compiling, in seconds; members of one ``fit_many`` share it.
    """

    history: History
    engine: str
    engine_reason: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    final: Mapping[str, float] = field(default_factory=dict)
    compile_seconds: float = field(default=0.0, compare=False)
    epoch: Sequence[int] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    apart_because: str = ""
    model: Any = field(default=None, compare=False, repr=False)


def mean_history(histories: Sequence[History]) -> History:
    """The histories of several folds averaged epoch by epoch.

    Raises:
        ValueError: there is none, or they differ in metrics or number of epochs.
    """
    if not histories:
        raise ValueError("there is no history to average")
    shapes = {
        tuple((name, len(points)) for name, points in sorted(each.items())) for each in histories
    }
    if len(shapes) != 1:
        raise ValueError(
            f"histories of folds must have the same metrics and epochs; got {sorted(shapes)}"
        )
    return {
        name: [
            sum(points) / len(points)
            for points in zip(*(each[name] for each in histories), strict=True)
        ]
        for name in histories[0]
    }
