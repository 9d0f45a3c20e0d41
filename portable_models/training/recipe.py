"""The frozen settings of a training."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Config: TypeAlias = Mapping[str, Any]
"""A Keras config, ``{"class_name": ..., "config": {...}}``, as ``keras.optimizers.serialize`` gives."""

Named: TypeAlias = str | Config
Identifier: TypeAlias = Any
"""A name or alias, config, class, object, function, partial or other callable, as for Keras's ``compile``."""

CallbackSource: TypeAlias = Named | Callable[[], Any]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides a training besides the model and the samples.

    Optimizers, metrics and callbacks are made anew for every training, from their names and configs, or with
    the settings of the objects that are given, so no state leaks from one training into the next.

    Args:
        optimizer: name (its defaults), config with arguments, learning-rate schedules included, class or
            object.
        loss: a name, ``{"class_name": "Huber", "config": {"delta": 2.0}}`` or what ``keras.losses.serialize``
            gives, a class, an object, a function or a partial; a list or dict of these for several outputs,
            with None for outputs without a loss. See ``portable_models.resolution.resolve_loss``.
        metrics: the same, in a list; a list or dict of these for several outputs.
        weighted_metrics: the same; these take ``sample_weight`` and ``class_weight`` into account.
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

    optimizer: Identifier = "rmsprop"
    loss: Identifier | Sequence[Identifier] | Mapping[str, Identifier] = "mse"
    metrics: Sequence[Any] | Mapping[str, Any] = ()
    weighted_metrics: Sequence[Any] | Mapping[str, Any] = ()
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

    @classmethod
    def of(cls, model: Any, **settings: Any) -> Recipe:
        """The recipe that compiles another model as a compiled model is compiled.

        Args:
            model: a compiled Keras model.
            **settings: what a model does not hold: ``epochs``, ``batch_size``, ``seed``, ...

        Raises:
            ValueError: the model is not compiled, or was compiled with something that a recipe cannot hold;
                the message lists all of it.
        """
        from portable_models.training.recipe_of import recipe_of

        return recipe_of(model, **settings)

    def to_json(self) -> dict[str, Any]:
        """The settings as plain JSON values.

        Objects of Keras are given by their configs, functions by their qualified names and what they
        close over, other objects by their classes and attributes.

        Raises:
            TypeError: a setting has no such description.
        """
        settings = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        if not settings["weighted_metrics"]:
            # Recipes without are described as before there were any.
            del settings["weighted_metrics"]
        plain: dict[str, Any] = json.loads(json.dumps(settings, default=_plain, sort_keys=True))
        return plain

    def digest(self) -> str:
        """SHA-256 of the settings, as hexadecimal."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, functools.partial):
        return {"partial": value.func, "args": value.args, "keywords": value.keywords}
    if hasattr(value, "get_config") and not isinstance(value, type):
        return _config(value)
    if hasattr(value, "__qualname__"):
        name = f"{value.__module__}:{value.__qualname__}"
        closure = getattr(value, "__closure__", None)
        if not closure:
            return name
        return {"function": name, "closure": [_closed_over(each.cell_contents) for each in closure]}
    if callable(value):
        kind = type(value)
        return {"object": f"{kind.__module__}:{kind.__qualname__}", "attributes": vars(value)}
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(
        f"a recipe holds names, numbers, configs, objects of Keras and functions; got {type(value).__name__}"
    )


def _config(value: Any) -> Any:
    import keras

    from portable_models.names import serialize

    config = serialize(value)
    if isinstance(value, keras.optimizers.Optimizer):
        # Keras counts its optimizers in their names, which decide nothing.
        del config["config"]["name"]
    return config


def _closed_over(value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, default=_plain, sort_keys=True))
    except (TypeError, ValueError):
        # An array, a model: its class must do; trainings are shared by identity, not by this.
        return f"{type(value).__module__}:{type(value).__qualname__}"
