"""Losses of a compiled model that differ between backends."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from portable_models._keras.graph import find_operation
from portable_models.resolution.catalogue import LOSS
from portable_models.resolution.portable import different

_DERIVED = (
    keras.losses.BinaryCrossentropy,
    keras.losses.BinaryFocalCrossentropy,
    keras.losses.CategoricalCrossentropy,
    keras.losses.SparseCategoricalCrossentropy,
)
_CALLED = frozenset(
    name
    for loss in ("binary", "categorical", "sparse_categorical", "binary_focal")
    for name in (f"{loss}_crossentropy", f"{loss.title().replace('_', '')}Crossentropy")
)
"""What a loss function of the user's own may call."""

_NAMES: Mapping[str, str] = {
    "bce": "BinaryCrossentropy",
    "BCE": "BinaryCrossentropy",
    "crossentropy": "one of the crossentropies",
    "ce": "one of the crossentropies",
}


def nonportable_losses(model: Any) -> list[str]:
    """Say which losses of a compiled model are known to differ between backends.

    That depends on the output: behind a Dense layer without activation, nothing differs. Where the output's
    activation is not known (a subclassed model, a layer of one's own), it may.

    Args:
        model: a Keras model.

    Returns:
        One message for each such loss, which names the portable one; none for a model that is not compiled.
    """
    if not getattr(model, "compiled", False):
        return []
    messages = []
    for path, loss in _leaves(getattr(model, "loss", None), ()):
        name, ours = _why(loss)
        if name is not None and _hides_logits(model, path):
            where = f" of output {path[0]!r}" if path else ""
            messages.append(
                f"the loss{where} is {name} of Keras, which TensorFlow computes from the logits behind a "
                "sigmoid or softmax, and JAX and PyTorch from the clipped output: a saturated prediction has "
                f"another loss and gradient. Equal on all backends: {ours} (known gap "
                "crossentropy-from-activation)"
            )
    return messages


def _leaves(loss: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(loss, Mapping) and "class_name" not in loss:
        for key, each in loss.items():
            yield from _leaves(each, (*path, key))
    elif isinstance(loss, list | tuple):
        for number, each in enumerate(loss):
            yield from _leaves(each, (*path, number))
    elif loss is not None:
        yield path, loss


def _why(loss: Any) -> tuple[str | None, str]:
    """What differs, and what to write instead."""
    package = "portable_models.losses"
    if isinstance(loss, str) and loss.lower() in ("crossentropy", "ce"):
        return repr(loss), f"{package}.CrossentropyByShape()"
    if isinstance(loss, str | Mapping) or inspect.isclass(loss):
        try:
            loss = keras.losses.get(loss)
        except (ValueError, TypeError):
            return None, ""
    if (name := different(LOSS, loss)) is not None:
        return name, f"{package}.{name}OfProbabilities"
    for base in _DERIVED:
        # Of the user's own; ours, and what is derived from them, are sound.
        if isinstance(loss, base) and type(loss) is not base and not _is_ours(loss):
            own = f"{type(loss).__name__}, derived from {base.__name__}"
            return own, f"derive it from {package}.{base.__name__}OfProbabilities"
    code = getattr(inspect.unwrap(loss), "__code__", None) if inspect.isfunction(loss) else None
    called = sorted(_CALLED & set(getattr(code, "co_names", ())))
    if called and not _is_ours(loss):
        return (
            f"{loss.__name__}(), which calls {', '.join(called)}",
            "give it keras.ops.multiply(y_pred, 1.0), which forgets the activation",
        )
    return None, ""


def _is_ours(loss: Any) -> bool:
    homes = (
        [loss.__module__]
        if inspect.isfunction(loss)
        else [each.__module__ for each in type(loss).__mro__]
    )
    return any(home.startswith("portable_models.") for home in homes)


def _hides_logits(model: Any, path: tuple[Any, ...]) -> bool:
    """Whether an output may be a sigmoid or softmax; True where that cannot be told."""
    try:
        outputs = model.outputs
    except (AttributeError, ValueError):
        return True
    if not outputs:
        return True
    chosen = outputs
    if path and isinstance(path[0], str):
        chosen = [
            each for each, name in zip(outputs, model.output_names, strict=False) if name == path[0]
        ]
    elif path and len(outputs) > 1 and path[0] < len(outputs):
        chosen = [outputs[path[0]]]
    return any(map(_may_be_probability, chosen or outputs))


_PLAIN = (
    "linear",
    "relu",
    "relu6",
    "tanh",
    "elu",
    "selu",
    "gelu",
    "leaky_relu",
    "softplus",
    "exponential",
)


def _may_be_probability(tensor: Any) -> bool:
    operation = find_operation(tensor)
    activation = getattr(operation, "activation", None)
    if activation is None or not type(operation).__module__.startswith("keras."):
        return True
    return activation not in [getattr(keras.activations, name) for name in _PLAIN]
