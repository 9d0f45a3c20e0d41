"""Keras 3 models that mean the same on JAX, TensorFlow and PyTorch.

Importing this package imports neither keras nor a framework; each name is resolved at its first use, and
the backend is the one that ``KERAS_BACKEND`` names when keras is imported. Too old a Keras is refused.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from portable_models._keras import release as _release

if TYPE_CHECKING:
    from portable_models.experiments.experiment import Experiment
    from portable_models.experiments.run import run

    # At run time the package itself, whose call is this function.
    from portable_models.export.api import export as export
    from portable_models.random import portable_random
    from portable_models.training.checkpoint import Checkpoint
    from portable_models.training.cross_validation import cross_validate
    from portable_models.training.fit import fit
    from portable_models.training.fit_many import Member, fit_many
    from portable_models.training.measuring import evaluate, predict
    from portable_models.training.recipe import Recipe

_release.check_release(_release.find_keras())

_HOMES = {
    "Checkpoint": "training",
    "Experiment": "experiments",
    "Member": "training",
    "Recipe": "training",
    "cross_validate": "training",
    "evaluate": "training",
    "data": "",
    "experiments": "",
    "export": "",
    "files": "",
    "fit": "training",
    "fit_many": "training",
    "losses": "",
    "metrics": "",
    "models": "",
    "names": "",
    "plots": "",
    "portable_random": "random",
    "predict": "training",
    "random": "",
    "run": "experiments",
    "training": "",
}
"""Public name -> the subpackage that holds it; "" for a subpackage itself."""

__all__ = [
    "Checkpoint",
    "Experiment",
    "Member",
    "Recipe",
    "cross_validate",
    "evaluate",
    "fit",
    "fit_many",
    "portable_random",
    "predict",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    found = importlib.import_module(f"{__name__}.{home or name}")
    return getattr(found, name) if home else found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
