"""The recipe of a compiled model, where it can be written down."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import keras

from portable_models._keras.compile_settings import compile_arguments, jit_compile_is_auto
from portable_models._keras.serialization import serialized_without_tensorflow
from portable_models.files.neutral import neutralise
from portable_models.training.recipe import Recipe

_PUBLIC_DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "run_eagerly": (False,),
    "steps_per_execution": (1,),
    "auto_scale_loss": (True,),
}
"""Arguments of ``compile`` that a recipe has no place for, and their defaults."""


@serialized_without_tensorflow()
def recipe_of(model: Any, **settings: Any) -> Recipe:
    """The recipe that compiles another model of this architecture as this one is compiled.

    Args:
        model: a compiled model.
        **settings: what a model does not hold: ``epochs``, ``batch_size``, ``seed``, ...

    Raises:
        ValueError: the model is not compiled, or was compiled with something that a recipe cannot hold; the
            message lists all of it.
    """
    given = compile_arguments(model)
    if not model.compiled or not given:
        raise ValueError(
            "Recipe.of() reads what a model was compiled with, and this one is not compiled"
        )
    cannot: list[str] = []
    for name, defaults in _PUBLIC_DEFAULTS.items():
        if given.get(name) not in defaults and name in given:
            cannot.append(f"{name}={given[name]!r}")
    if not jit_compile_is_auto(model):
        cannot.append(f"jit_compile={model.jit_compile}")
    parts = {
        "optimizer": _written(
            given.get("optimizer"), keras.optimizers.serialize, cannot, "optimizer"
        ),
        "loss": _written(given.get("loss"), keras.losses.serialize, cannot, "loss"),
        "metrics": _written(given.get("metrics") or (), keras.metrics.serialize, cannot, "metric"),
        "weighted_metrics": _written(
            given.get("weighted_metrics") or (), keras.metrics.serialize, cannot, "metric"
        ),
        "loss_weights": given.get("loss_weights"),
    }
    if given.get("loss") is None:
        cannot.append("no loss (the model trains by add_loss, or by a step of its own)")
    if cannot:
        raise ValueError(
            "a recipe holds names, numbers and configs of Keras; it cannot hold "
            + "; ".join(dict.fromkeys(cannot))
            + ". Train the model as it is: fit(model, x, y) without a recipe"
        )
    return Recipe(**parts, **settings)


def _written(part: Any, serialize: Callable[[Any], Any], cannot: list[str], what: str) -> Any:
    if part is None or isinstance(part, str):
        return part
    if isinstance(part, Mapping):
        if "class_name" in part:
            return dict(part)
        return {key: _written(value, serialize, cannot, what) for key, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [_written(value, serialize, cannot, what) for value in part]
    home = part if hasattr(part, "__qualname__") else type(part)
    name = getattr(home, "__qualname__", type(part).__qualname__)
    if not str(getattr(home, "__module__", "")).startswith(("keras.", "portable_models.")):
        cannot.append(f"the {what} {name}, which is code of your own")
        return None
    config = serialize(part)
    if isinstance(config, str):
        return config
    try:
        plain, _ = neutralise(json.loads(json.dumps(config)))
    except TypeError:
        cannot.append(f"the {what} {name}, whose config is not plain JSON")
        return None
    return plain
