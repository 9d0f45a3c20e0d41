"""A name, config or object becomes an object; what cannot is said in one line."""

from __future__ import annotations

import copy
import difflib
import inspect
import json
import re
from collections.abc import Mapping
from typing import Any

import keras

from portable_models.resolution.catalogue import OPTIMIZER, Kind, classes, fold, functions
from portable_models.resolution.errors import ArgumentsError, UnknownNameError
from portable_models.resolution.portable import portable

# Under torch, Keras swaps an optimizer's class for one of its own, whose config other backends
# cannot read: keras.src.backend.torch.optimizers.torch_adam names no module without torch.
_BACKEND_OPTIMIZER = re.compile(r"keras\.src\.backend\.\w+\.optimizers(\.\w+)?")

_KERAS_2 = {
    "lr": "lr is called learning_rate",
    "decay": (
        "decay is a schedule, learning_rate=keras.optimizers.schedules.InverseTimeDecay("
        "initial_learning_rate, decay_steps=1, decay_rate=decay)"
    ),
}
"""Arguments of optimizers in Keras 2 -> what to say instead."""


def resolve(kind: Kind, identifier: Any, arguments: Mapping[str, Any]) -> Any:
    """The object of a kind that ``identifier`` stands for, the one that is equal on every backend.

    Args:
        kind: what is asked for.
        identifier: a name, config, class, object, function, partial, or any other callable.
        arguments: what the class is made with; only with a name or class.

    Raises:
        UnknownNameError: it stands for none.
        ArgumentsError: arguments are missing, unknown, refused or given with a finished object.
    """
    return portable(kind, _found(kind, identifier, arguments))


def _found(kind: Kind, identifier: Any, arguments: Mapping[str, Any]) -> Any:
    if isinstance(identifier, str):
        return _from_name(kind, identifier, arguments)
    if inspect.isclass(identifier) and issubclass(identifier, kind.base_class()):
        return _make(kind, identifier.__name__, identifier, arguments)
    if arguments:
        raise ArgumentsError(
            f"arguments ({', '.join(arguments)}) go with the name of a {kind.noun}; "
            f"got them with {identifier!r}. Put them into its config"
        )
    if isinstance(identifier, Mapping):
        return _from_config(kind, identifier)
    if inspect.isclass(identifier) and "__call__" in dir(identifier) and kind.labelled:
        # As Keras does: a class of one's own whose objects are called like a function.
        return identifier()
    if isinstance(identifier, kind.base_class()) or _is_callable(identifier):
        return identifier
    raise UnknownNameError(
        f"a {kind.noun} is given by name, config or object; "
        f"got {identifier!r} of type {type(identifier).__name__}"
    )


def resolve_function(kind: Kind, identifier: str) -> Any:
    """Keras's function of this name.

    Raises:
        UnknownNameError: there is none.
    """
    if function := functions(kind).get(fold(identifier)):
        return function
    raise UnknownNameError(_unknown(f"{kind.noun} function", identifier, list(functions(kind))))


def portable_config(config: Any) -> Any:
    """A copy of a Keras config that reads the same on every backend, nested configs included.

    Optimizers are named by their public module; a file written on torch names one that only torch
    has.
    """
    if isinstance(config, (list, tuple)):
        return [portable_config(item) for item in config]
    if not isinstance(config, Mapping):
        return copy.copy(config)
    clean = {key: portable_config(value) for key, value in config.items()}
    module = clean.get("module")
    if isinstance(module, str) and _BACKEND_OPTIMIZER.fullmatch(module):
        clean |= {"module": "keras.optimizers", "registered_name": None}
    return clean


def _from_name(kind: Kind, name: str, arguments: Mapping[str, Any]) -> Any:
    if why := kind.ambiguous.get(name):
        raise UnknownNameError(f"{name!r} is no single {kind.noun}: {why}")
    if made := classes(kind).get(fold(name)):
        return _make(kind, name, made, arguments)
    if function := functions(kind).get(fold(name)):
        # Keras has a few functions without a class (the metric huber); a mean over batches is what
        # compile() makes of them.
        return keras.metrics.MeanMetricWrapper(function, **{"name": name, **arguments})
    if registered := _registered(kind, name):
        if inspect.isclass(registered):
            return _make(kind, registered.__name__, registered, arguments)
        return _found(kind, registered, arguments)
    raise UnknownNameError(_unknown(kind.noun, name, list(_shown_names(kind))))


def _from_config(kind: Kind, config: Mapping[str, Any]) -> Any:
    clean = portable_config(config)
    name = clean.get("class_name")
    if not isinstance(name, str):
        raise UnknownNameError(
            f"the config of a {kind.noun} holds 'class_name' and 'config'; got {sorted(clean)}"
        )
    if name == "function":
        return _function_from_config(kind, clean)
    registered = str(clean.get("registered_name") or name)
    known: Any = classes(kind).get(fold(name)) if ">" not in registered else None
    known = known or _registered(kind, registered)
    if known is None:
        raise UnknownNameError(_unknown(kind.noun, name, list(_shown_names(kind))))
    _refuse_keras_2(kind, name, clean.get("config") or {})
    try:
        made: Any = known.from_config(clean.get("config") or {})
    except (TypeError, ValueError) as error:
        raise ArgumentsError(_refused(kind, name, known, error)) from error
    return made


def _function_from_config(kind: Kind, config: Mapping[str, Any]) -> Any:
    name = str(config.get("config"))  # a registered function's config is its registered name
    registered = keras.saving.get_registered_object(name)
    return registered if registered is not None else resolve_function(kind, name)


def _make(kind: Kind, name: str, made: type, arguments: Mapping[str, Any]) -> Any:
    given = dict(arguments)
    if kind.labelled and name != made.__name__:
        # As Keras's compile() does: a history shows the name that the user wrote ("mae").
        given.setdefault("name", name)
    _refuse_keras_2(kind, name, given)
    try:
        return made(**given)
    except (TypeError, ValueError) as error:
        raise ArgumentsError(_refused(kind, name, made, error)) from error


def _refuse_keras_2(kind: Kind, name: str, arguments: Mapping[str, Any]) -> None:
    """Of a decay Keras 3 only warns, and ignores it; a decay of 0 means nothing."""
    hints = [hint for old, hint in _KERAS_2.items() if kind is OPTIMIZER and arguments.get(old)]
    if hints:
        raise ArgumentsError(f"the optimizer {name!r} is that of Keras 3: {'; '.join(hints)}")


def _refused(kind: Kind, name: str, made: type, error: Exception) -> str:
    parameters = [
        parameter
        for parameter in inspect.signature(made).parameters.values()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    ]
    required = [p.name for p in parameters if p.default is p.empty]
    needs = f" needs {', '.join(required)} and" if required else ""
    reason = str(error).strip().splitlines()[0]
    return (
        f"the {kind.noun} {name!r}{needs} takes {', '.join(p.name for p in parameters)}; {reason}. "
        f"Give its arguments by keyword after the name, or as "
        f"{json.dumps({'class_name': made.__name__, 'config': dict.fromkeys(required, '...')})}"
    )


def _registered(kind: Kind, name: str) -> Any:
    """What the user registered with Keras as ``package>name``, or as ``name`` in one package."""
    found = keras.saving.get_registered_object(name)
    if found is None and ">" not in name:
        custom = keras.saving.get_custom_objects()
        matches = {key: value for key, value in custom.items() if key.endswith(f">{name}")}
        matches = {key: value for key, value in matches.items() if _fits(kind, value)}
        if len(matches) > 1:
            raise UnknownNameError(
                f"{name!r} is registered in several packages: {', '.join(sorted(matches))}; say one"
            )
        found = next(iter(matches.values()), None)
    return found if found is not None and _fits(kind, found) else None


def _fits(kind: Kind, value: Any) -> bool:
    if inspect.isclass(value):
        return issubclass(value, kind.base_class())
    return isinstance(value, kind.base_class()) or _is_function(value)


def _is_function(value: Any) -> bool:
    return _is_callable(value) and hasattr(value, "__name__")


def _is_callable(value: Any) -> bool:
    return callable(value) and not inspect.isclass(value)


def _shown_names(kind: Kind) -> Mapping[str, str]:
    """Every name that can be said, as it is best written: class names and registered names."""
    shown = {made.__name__: folded for folded, made in classes(kind).items()}
    custom = keras.saving.get_custom_objects()
    return shown | {key: fold(key) for key, value in custom.items() if _fits(kind, value)}


def _unknown(noun: str, name: str, known: list[str]) -> str:
    folded = {fold(candidate): candidate for candidate in known}
    nearest = difflib.get_close_matches(fold(name), folded, n=3)
    nearby = f"did you mean {' or '.join(folded[match] for match in nearest)}? " if nearest else ""
    return (
        f"unknown {noun} {name!r}: {nearby}One of your own is passed as an object, or named after "
        "@keras.saving.register_keras_serializable('my_package'), as 'my_package>MyName'"
    )
