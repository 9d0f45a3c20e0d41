"""The digests of a model as it is built for its first training. Only a worker needs this."""

from __future__ import annotations

import dataclasses
from typing import Any

from backends_matrix.run.identity import Identity, digest_of

_VOLATILE = {"name", "shared_object_id", "build_config"}
"""Keys of a configuration that say nothing of a model: automatic names count layers made before."""


class BuildRecorder:
    """A variant whose first model is looked at when it is built.

    Args:
        variant: the variant.
    """

    def __init__(self, variant: Any) -> None:
        from portable_models.experiments.neutral_recipe import neutral_recipe

        self._found: dict[str, str] = {}
        self._recipe = digest_of(_neutral(neutral_recipe(variant.recipe).to_json()))
        build = variant.build

        def recorded(data: Any) -> Any:
            model = build(data)
            if not self._found:
                self._found = _digest_model(model)
            return model

        self.variant = dataclasses.replace(variant, build=recorded)

    def identity(self, data: str) -> Identity:
        """The digests of model, initial weights, data and recipe.

        Args:
            data: digest of the data set.
        """
        return {"model": "", "weights": "", **self._found, "data": data, "recipe": self._recipe}


def identify_training(variant: Any, samples: Any, settings: Any) -> Identity:
    """The identity of a variant's first training, which is not run."""
    import keras

    from portable_models.experiments import run_variant
    from portable_models.training.first_training import job_of_first_training

    builds = BuildRecorder(variant)
    settings = dataclasses.replace(settings, replica=0)
    keras.utils.clear_session(free_memory=False)
    job_of_first_training(lambda: run_variant(builds.variant, samples, settings))
    keras.utils.clear_session(free_memory=False)
    return builds.identity(samples.digest())


def _digest_model(model: Any) -> dict[str, str]:
    from portable_models.training.weights import weights_digest

    try:
        config = model.get_config()
    except Exception:  # a model of a user's own need not have one
        config = type(model).__qualname__
    return {
        "model": digest_of(_neutral(config)),
        "weights": weights_digest(model) if model.built else "",
    }


def _neutral(value: Any) -> Any:
    """A configuration without what differs from one build to the next."""
    if isinstance(value, dict):
        return {key: _neutral(item) for key, item in value.items() if key not in _VOLATILE}
    if isinstance(value, (list, tuple)):
        return [_neutral(item) for item in value]
    return value
