"""What two trainings must have in common to share a compiled program or a checkpoint.

Two descriptions are made of a compiled model. ``program_key`` compares models of one process; objects of the
user's count by identity. ``training_digest`` lasts: functions of the user's count by their code and by the
values that they close over.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import warnings
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType, MethodType
from typing import Any

import keras
import numpy as np

from portable_models._keras.compile_settings import compile_arguments
from portable_models._keras.layers import all_layers
from portable_models._keras.loss_functions import get_wrapped_function
from portable_models._keras.serialization import serialized_without_tensorflow
from portable_models.data.samples import digest_arrays
from portable_models.training.engines.foreign_code import foreign_parts

_PLAIN = (str, int, float, bool, type(None), bytes, complex)


class IndistinctError(ValueError):
    """Something of the training cannot be told apart from another of its kind."""


@serialized_without_tensorflow()
def program_key(model: Any) -> Any:
    """Equal for two models only if one program, given the other's state, trains the other.

    Args:
        model: built and compiled.
    """
    in_layers = [part for part in foreign_parts(model) if not part.endswith("(compiled)")]
    if in_layers or any(_holds_tensors(layer) for layer in all_layers(model)):
        return ("of its own", id(model))
    try:
        architecture = _architecture(model)
        compiled = _describe(_without_rate(compile_arguments(model)), _by_identity)
    except NotImplementedError:
        # A layer, optimizer or schedule of the user's that has no get_config.
        return ("of its own", id(model))
    shapes = [(tuple(each.shape), str(each.dtype), each.trainable) for each in model.variables]
    return (type(model), json.dumps([architecture, compiled]), str(shapes))


@serialized_without_tensorflow()
def training_digest(model: Any) -> str:
    """SHA-256 over a model's architecture and what it was compiled with, the same in another process.

    Raises:
        IndistinctError: a loss, metric or layer of the user's holds something that has no lasting
            description.
    """
    try:
        architecture = _architecture(model)
    except NotImplementedError:
        architecture = _source(type(model))
    own = [_source(type(layer)) for layer in all_layers(model) if not _is_keras(type(layer))]
    arguments = compile_arguments(model)
    # Each backend resolves "auto" in its own way; a checkpoint resumes on any of them.
    arguments.pop("jit_compile", None)
    compiled = _describe(arguments, _by_value)
    shapes = [(tuple(each.shape), str(each.dtype), each.trainable) for each in model.variables]
    text = json.dumps([architecture, own, compiled, str(shapes)])
    return hashlib.sha256(text.encode()).hexdigest()


def _architecture(model: Any) -> Any:
    """The model's config with layers numbered instead of named, and without seeds.

    Automatic names differ between two builds; a seed decides values only.
    """
    with warnings.catch_warnings():
        # Keras warns that a lambda cannot be loaded again; nothing is saved here.
        warnings.simplefilter("ignore", UserWarning)
        config = model.get_config()
    numbers = {layer.name: f"#{place}" for place, layer in enumerate(all_layers(model))}
    shared: dict[Any, int] = {}

    def plain(part: Any) -> Any:
        if isinstance(part, Mapping):
            # Keras numbers shared objects by their addresses in memory.
            return {
                str(key): shared.setdefault(value, len(shared))
                if key == "shared_object_id"
                else plain(value)
                for key, value in part.items()
                if key != "seed"
            }
        if isinstance(part, (list, tuple)):
            return [plain(value) for value in part]
        if isinstance(part, str):
            return numbers.get(part, part)
        return part if isinstance(part, _PLAIN) else repr(part)

    return plain(config)


def _holds_tensors(layer: Any) -> bool:
    """Whether a layer keeps tensors that are no variables: a program holds them as constants."""
    return any(
        isinstance(value, np.ndarray) or keras.ops.is_tensor(value)
        for value in vars(layer).values()
        if not isinstance(value, keras.Variable)
    )


def _without_rate(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of ``compile``; a learning rate that is a number is a variable, so it is left out."""
    found = dict(arguments)
    optimizer = found.pop("optimizer", None)
    if hasattr(optimizer, "get_config"):
        config = without_name_and_rate(optimizer.get_config())
        found["optimizer"] = {"class": _home(type(optimizer)), "config": config}
    else:
        found["optimizer"] = optimizer
    return found


def without_name_and_rate(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config of an optimizer, or of one that holds another, without what members may differ in."""
    # Keras counts the optimizers that it names.
    found = {key: value for key, value in config.items() if key != "name"}
    if isinstance(found.get("learning_rate"), (int, float)):
        del found["learning_rate"]
    inner = found.get("inner_optimizer")
    if isinstance(inner, Mapping) and isinstance(inner.get("config"), Mapping):
        found["inner_optimizer"] = {**inner, "config": without_name_and_rate(inner["config"])}
    return found


def _describe(part: Any, other: Callable[[Any], Any]) -> Any:
    """Plain JSON values for a part of ``compile``'s arguments; ``other`` describes code of the user's."""
    if isinstance(part, Mapping):
        return {str(key): _describe(value, other) for key, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [_describe(value, other) for value in part]
    if isinstance(part, _PLAIN):
        return part if not isinstance(part, (bytes, complex)) else repr(part)
    if isinstance(part, np.generic):
        return part.item()
    if isinstance(part, (FunctionType, MethodType, functools.partial)):
        return _home(part) if _is_keras(part) else other(part)
    kind = part if isinstance(part, type) else type(part)
    if _is_keras(kind) and hasattr(part, "get_config") and not isinstance(part, type):
        config = {key: value for key, value in part.get_config().items() if key != "name"}
        held = get_wrapped_function(part)
        return [_home(kind), _describe(config, other), _describe(held, other)]
    return _home(part) if _is_keras(kind) and isinstance(part, type) else other(part)


def _by_identity(part: Any) -> Any:
    return ["object", id(part)]


def _by_value(part: Any) -> Any:
    """A lasting description of an object or function of the user's."""
    if isinstance(part, functools.partial):
        return [
            _by_value(part.func),
            *(_describe(each, _by_value) for each in (part.args, part.keywords)),
        ]
    if isinstance(part, MethodType):
        return [_by_value(part.__func__), _describe(part.__self__, _by_value)]
    if isinstance(part, FunctionType):
        cells = [cell.cell_contents for cell in part.__closure__ or ()]
        defaults = [part.__defaults__, part.__kwdefaults__]
        return [_home(part), _code(part.__code__), _describe([cells, defaults], _by_value)]
    if isinstance(part, type):
        return _source(part)
    if isinstance(part, np.ndarray):
        return digest_arrays(part)
    if hasattr(part, "get_config"):
        # Many a config forgets what __init__ was given, so the attributes count too.
        config = _describe(part.get_config(), _by_value)
        return [_source(type(part)), config, _own_attributes(part)]
    if (attributes := getattr(part, "__dict__", None)) is not None and callable(part):
        return [_source(type(part)), _describe(attributes, _by_value)]
    raise IndistinctError(
        f"{type(part).__qualname__} has no lasting description, so a checkpoint with it could belong to "
        "another training. Use plain numbers, or a class with get_config"
    )


def _own_attributes(part: Any) -> Any:
    """The attributes of an object of the user's that are not Keras's own objects, such as dtype policies."""
    return {
        name: _describe(value, _by_value)
        for name, value in sorted(vars(part).items())
        if name != "name" and not (_is_keras(type(value)) and not hasattr(value, "get_config"))
    }


def _code(code: CodeType) -> str:
    constants = [
        _code(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts
    ]
    text = repr((code.co_code.hex(), constants, code.co_names))
    return hashlib.sha256(text.encode()).hexdigest()


def _source(kind: type) -> str:
    try:
        text = inspect.getsource(kind)
    except (OSError, TypeError):
        text = ""
    return f"{_home(kind)} {hashlib.sha256(text.encode()).hexdigest()}"


def _home(part: Any) -> str:
    # Keras keeps a class of its own for each backend, under the same name.
    module = "keras" if part.__module__.startswith("keras.") else part.__module__
    return f"{module}:{part.__qualname__}"


def _is_keras(part: Any) -> bool:
    module = getattr(part, "__module__", None) or ""
    return module.partition(".")[0] in ("keras", "portable_models")
