"""What can be named: losses, metrics, optimizers, regularizers, initializers and constraints."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

_ERRORS = MappingProxyType(
    {
        "bce": "BinaryCrossentropy",
        "kld": "KLDivergence",
        "kullbackleiblerdivergence": "KLDivergence",
        "mae": "MeanAbsoluteError",
        "mape": "MeanAbsolutePercentageError",
        "mse": "MeanSquaredError",
        "msle": "MeanSquaredLogarithmicError",
    }
)
_CROSSENTROPY = (
    "it stands for another crossentropy for each shape of target; say binary_crossentropy, "
    "categorical_crossentropy or sparse_categorical_crossentropy"
)
_ACCURACY = (
    "it stands for another accuracy for each shape of target; say binary_accuracy, "
    "categorical_accuracy or sparse_categorical_accuracy, or Accuracy for exact equality"
)


def fold(name: str) -> str:
    """A name without case and underscores: ``"mean_squared_error"`` is ``"MeanSquaredError"``."""
    return name.replace("_", "").lower()


@dataclass(frozen=True)
class Kind:
    """One kind of thing that has a name.

    Args:
        noun: what a message calls it.
        modules: where its classes and functions are public; the first one is Keras's own.
        base: the class in the first module that all of them derive from.
        aliases: other names, folded, and the class each stands for.
        ambiguous: names that are refused, exactly as written, and why.
        labelled: whether an object carries a name that shows in a history.
    """

    noun: str
    modules: tuple[str, ...]
    base: str
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)
    ambiguous: Mapping[str, str] = field(default_factory=dict, hash=False)
    labelled: bool = False

    def base_class(self) -> type:
        """The class that all objects of this kind derive from."""
        base: type = getattr(importlib.import_module(self.modules[0]), self.base)
        return base


LOSS = Kind(
    "loss",
    ("keras.losses", "portable_models.losses"),
    "Loss",
    MappingProxyType({**_ERRORS, "logcosherror": "LogCosh"}),
    MappingProxyType({"crossentropy": _CROSSENTROPY, "ce": _CROSSENTROPY}),
    labelled=True,
)
METRIC = Kind(
    "metric",
    ("keras.metrics", "portable_models.metrics"),
    "Metric",
    MappingProxyType({**_ERRORS, "logcosh": "LogCoshError"}),
    MappingProxyType(
        {
            "accuracy": _ACCURACY,
            "acc": _ACCURACY,
            "crossentropy": _CROSSENTROPY,
            "ce": _CROSSENTROPY,
        }
    ),
    labelled=True,
)
OPTIMIZER = Kind("optimizer", ("keras.optimizers",), "Optimizer")
REGULARIZER = Kind(
    "regularizer",
    ("keras.regularizers",),
    "Regularizer",
    MappingProxyType({"orthogonal": "OrthogonalRegularizer"}),
)
INITIALIZER = Kind(
    "initializer",
    ("keras.initializers",),
    "Initializer",
    MappingProxyType(
        {
            "identityinitializer": "Identity",
            "normal": "RandomNormal",
            "one": "Ones",
            "orthogonalinitializer": "Orthogonal",
            "stftinitializer": "STFT",
            "uniform": "RandomUniform",
            "zero": "Zeros",
        }
    ),
)
CONSTRAINT = Kind("constraint", ("keras.constraints",), "Constraint")

KINDS = (LOSS, METRIC, OPTIMIZER, REGULARIZER, INITIALIZER, CONSTRAINT)


@functools.cache
def classes(kind: Kind) -> Mapping[str, type]:
    """The public classes of a kind, by folded name; aliases included."""
    base = kind.base_class()
    found: dict[str, type] = {}
    for module in kind.modules:
        for name, value in vars(importlib.import_module(module)).items():
            if inspect.isclass(value) and issubclass(value, base) and value is not base:
                found.setdefault(fold(name), value)
    return MappingProxyType(found | {alias: found[fold(of)] for alias, of in kind.aliases.items()})


@functools.cache
def functions(kind: Kind) -> Mapping[str, Callable[..., Any]]:
    """The public functions of a kind, by folded name; aliases included."""
    found: dict[str, Callable[..., Any]] = {}
    for module in kind.modules:
        for name, value in vars(importlib.import_module(module)).items():
            if inspect.isfunction(value) and name not in ("get", "serialize", "deserialize"):
                found[fold(name)] = value
    aliases = {alias: found[fold(of)] for alias, of in kind.aliases.items() if fold(of) in found}
    return MappingProxyType(found | aliases)
