"""Which parts of a compiled model are Python code that neither Keras nor this library wrote.

A compiled program runs a model's Python code once, while it is traced. Keras does the same on JAX and
TensorFlow; on PyTorch it runs the code at every step. Code of the user's may do something else each time:
count its calls, read a global, draw from NumPy. So two questions depend on it: may PyTorch's steps be traced,
and may two models share one program.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras

from portable_models._keras.compile_settings import compiled_parts
from portable_models._keras.layers import all_layers, has_state

KNOWN = ("keras", "portable_models", "builtins", "numpy", "collections")
"""Packages whose code computes the same at every call."""
_CONTAINERS = ("ParameterDict", "ParameterList")
"""What Keras on PyTorch keeps a layer's parameters in."""
_RUNS_FOREIGN = (
    "Lambda",
    "TorchModuleWrapper",
    "JaxLayer",
    "FlaxLayer",
    "TFSMLayer",
    "MultiHeadWrapper",
)
"""Layers of Keras that run a function or module of the user's."""


OPTIMIZERS = frozenset(
    (
        "Adadelta",
        "Adafactor",
        "Adagrad",
        "Adam",
        "AdamW",
        "Adamax",
        "Ftrl",
        "Lamb",
        "Lion",
        "LossScaleOptimizer",
        "MultiOptimizer",
        "Muon",
        "Nadam",
        "RMSprop",
        "RoundingOtherwise",
        "SGD",
    )
)
"""Optimizers whose traced step is proven equal to their step on PyTorch.

ScheduleFreeAdamW is not: it keeps ``momentum.value`` and then changes the variable, in place on PyTorch
(keras 3.15.1, src/optimizers/schedule_free_adamw.py), so that the old momentum is the new one there.
"""
_STATEFUL = frozenset(("BatchNormalization", "Discretization", "Normalization"))
"""Layers with variables that are no weights and no seeds, proven in the same way.

SpectralNormalization is not: it assigns a weight while it is called, which takes it out of the gradient.
"""


def unproven_parts(model: Any) -> list[str]:
    """Name each part of Keras whose state is not known to change in a traced step as it does at once.

    Args:
        model: built and compiled.
    """
    found = []
    for part in compiled_parts(model):
        is_optimizer = isinstance(part, keras.optimizers.Optimizer)
        if is_optimizer and type(part).__name__ not in OPTIMIZERS:
            found.append(f"the optimizer {type(part).__name__}")
    for layer in all_layers(model):
        # The states of a recurrent layer are no variables of the model.
        recurrent = bool(getattr(layer, "stateful", False))
        if recurrent or (has_state(layer) and type(layer).__name__ not in _STATEFUL):
            found.append(f"layer {layer.name}, which keeps a state between batches,")
    return found


def foreign_parts(model: Any) -> list[str]:
    """Name each part of a built and compiled model that is code of the user's.

    Args:
        model: its class, layers, what they hold (activations, regularizers, constraints), losses, metrics,
            optimizer and schedules are looked at.

    Returns:
        Descriptions such as ``"the class MyModel"`` or ``"my_loss of the compiled loss"``; empty where all
        code is Keras's or this library's.
    """
    found = [f"{_name(part)} ({where})" for where, part in _parts(model) if not _is_known(part)]
    return list(dict.fromkeys(found))


def _parts(model: Any) -> Iterator[tuple[str, Any]]:
    for layer in all_layers(model):
        where = "the model" if layer is model else f"layer {layer.name}"
        yield where, layer
        for value in _values(vars(layer)):
            if callable(value) and not isinstance(value, keras.layers.Layer):
                yield where, value
    for part in compiled_parts(model):
        if isinstance(part, str):
            continue
        yield "compiled", part
        for value in _values(getattr(part, "__dict__", {})):
            if callable(value):
                yield "compiled", value


def _values(attributes: Mapping[Any, Any]) -> Iterable[Any]:
    for value in list(attributes.values()):
        if isinstance(value, Mapping):
            yield from list(value.values())
        elif isinstance(value, (list, tuple)):
            yield from value
        else:
            yield value


def _is_known(part: Any) -> bool:
    if isinstance(part, functools.partial):
        return _is_known(part.func)
    if type(part).__name__ in _RUNS_FOREIGN:
        return False
    if type(part).__name__ in _CONTAINERS:
        return True
    home = part if hasattr(part, "__qualname__") else type(part)
    module = getattr(home, "__module__", None) or "builtins"
    return module.partition(".")[0] in KNOWN or _is_of_a_framework(part, module)


def _is_of_a_framework(part: Any, module: str) -> bool:
    """A framework's own plain objects (dtypes, tensors, hooks), not a module or function that computes."""
    return module.partition(".")[0] in ("torch", "jax", "jaxlib", "tensorflow") and not (
        hasattr(part, "forward") or hasattr(part, "__wrapped__") or hasattr(part, "__code__")
    )


def _name(part: Any) -> str:
    if isinstance(part, functools.partial):
        return f"partial({_name(part.func)})"
    return getattr(part, "__qualname__", None) or type(part).__qualname__
