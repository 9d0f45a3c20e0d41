"""Experiments by name: the built-in ones, and anyone's as ``package.module:object``."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

from portable_models.built_in import BUILT_IN
from portable_models.experiments.experiment import Experiment


class UnknownExperimentError(ValueError):
    """No experiment is found under this name."""


def experiment(name: str) -> Experiment:
    """The experiment of this name; its module is imported, which runs its code.

    Args:
        name: ``imdb``, ``boston``, ``regularization``, or ``package.module:object``.

    Raises:
        UnknownExperimentError: there is none, or the object is not an ``Experiment``.
    """
    path = BUILT_IN.get(name, name)
    module_name, separator, attribute = path.partition(":")
    if not separator or not module_name or not attribute:
        near = difflib.get_close_matches(name, BUILT_IN, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UnknownExperimentError(
            f"unknown experiment {name!r}: expected {', '.join(BUILT_IN)}, or package.module:object{hint}"
        )
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name):
            raise
        raise UnknownExperimentError(
            f"no experiment {name!r}: the module {error.name} is not found. "
            "It must be importable: install its package, or run in the folder that holds it"
        ) from None
    found: Any = getattr(module, attribute, None)
    if not isinstance(found, Experiment):
        what = "no such object" if found is None else f"a {type(found).__name__}"
        raise UnknownExperimentError(
            f"no experiment {name!r}: {module_name} has {what} under {attribute}; "
            "expected a portable_models.Experiment"
        )
    return found
