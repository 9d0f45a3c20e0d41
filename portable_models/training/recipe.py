"""The frozen settings of a training."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Config: TypeAlias = Mapping[str, Any]
"""A Keras config, ``{"class_name": ..., "config": {...}}``, as ``keras.optimizers.serialize`` gives."""

Named: TypeAlias = str | Config
CallbackSource: TypeAlias = Named | Callable[[], Any]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides a training besides the model and the samples.

    Nothing in it is an object of a framework: optimizers and callbacks are given by name or config and
    made anew for every training, so no state leaks from one training into the next.

    Args:
        optimizer: name (its defaults) or config with arguments, learning-rate schedules included.
        loss: name or config; a list or dict of these for several outputs.
        metrics: names or configs; a list or dict of lists for several outputs.
        loss_weights: factor of each output's loss in the sum.
        epochs: how often the samples are gone through.
        batch_size: samples per step; the last batch of an epoch may be smaller and is not dropped.
        seed: decides initial weights, dropout masks and the order of samples.
        shuffle: draw a new order of samples for each epoch; False keeps the order of the data.
        class_weight: factor for the samples of each class, by class index.
        callbacks: names or configs from ``keras.callbacks``, or functions of no argument that make one.

    Raises:
        ValueError: epochs or batch size below 1, or a negative seed.
    """

    optimizer: Named = "rmsprop"
    loss: Named | Sequence[Named] | Mapping[str, Named] = "mse"
    metrics: Sequence[Any] | Mapping[str, Any] = ()
    loss_weights: Sequence[float] | Mapping[str, float] | None = None
    epochs: int = 1
    batch_size: int = 32
    seed: int = 0
    shuffle: bool = True
    class_weight: Mapping[int, float] | None = None
    callbacks: Sequence[CallbackSource] = ()

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            if value < 1:
                raise ValueError(f"{name} of a recipe must be at least 1; got {value}")
        if self.seed < 0:
            raise ValueError(f"seed of a recipe must not be negative; got {self.seed}")

    def replace(self, **changes: Any) -> Recipe:
        """The same recipe with some settings changed."""
        return dataclasses.replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """The settings as plain JSON values; a callback's function is given by its qualified name."""
        settings = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        plain: dict[str, Any] = json.loads(json.dumps(settings, default=_plain, sort_keys=True))
        return plain

    def digest(self) -> str:
        """SHA-256 of the settings, as hexadecimal."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if callable(value):
        return f"{value.__module__}:{value.__qualname__}"
    raise TypeError(
        f"a recipe holds names, numbers and configs; got {type(value).__name__}. "
        "Give an optimizer or callback as its config, e.g. keras.optimizers.serialize(optimizer)"
    )
