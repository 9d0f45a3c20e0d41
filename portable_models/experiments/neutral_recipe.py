"""A recipe without what ties its configs to the backend that wrote them."""

from __future__ import annotations

from typing import Any

from portable_models.files.neutral import neutralise
from portable_models.training.recipe import Recipe

_CONFIGS = ("optimizer", "loss", "metrics")


def neutral_recipe(recipe: Recipe) -> Recipe:
    """Give a recipe whose configs are the same on every backend.

    Keras has optimizer classes of its own for PyTorch, so ``keras.optimizers.serialize`` names a module
    of that backend there (seen with keras 3.15.1). A recipe that was made with it would differ by
    backend, in its digest and in the class that trains.

    Args:
        recipe: as a study gives it; it is not changed.
    """
    changed: dict[str, Any] = {}
    for name in _CONFIGS:
        value = getattr(recipe, name)
        neutral, changes = neutralise({"recipe": _plain(value)})
        if changes:
            changed[name] = neutral["recipe"]
    return recipe.replace(**changed) if changed else recipe


def _plain(value: Any) -> Any:
    """The value in dicts and lists, which ``neutralise`` walks through."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
