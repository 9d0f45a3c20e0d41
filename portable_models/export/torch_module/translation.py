"""What a layer becomes, and what a translator may ask of the generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from portable_models.export.errors import RefusedError
from portable_models.export.torch_module.rendering import arguments, without_defaults


@dataclass(frozen=True)
class Translation:
    """A layer as plain PyTorch.

    Args:
        constructor: an expression that makes the module, e.g. ``"Dense(13, 64, activation=relu)"``.
        weights: attribute path inside the module -> Keras variable.
    """

    constructor: str
    weights: Mapping[str, Any] = field(default_factory=dict)


class Context(Protocol):
    """What a translator may ask for."""

    def activation(self, function: Any) -> str | None:
        """An expression for an activation function, None for the identity."""

    def child(self, layer: Any) -> Translation:
        """The translation of a layer that another one holds."""

    def takes_training(self, made: str) -> bool:
        """Whether the ``forward`` of what this constructor makes has a ``training`` argument."""


Translator = Callable[[Any, Context], Translation]


class LayerRefusedError(RefusedError):
    """A refusal whose message names the layer (or operation) already."""


def refusal(operation: Any, reason: object) -> LayerRefusedError:
    """The refusal of one layer or operation, by name, class and reason."""
    kind = "layer" if hasattr(operation, "compute_mask") else "operation"
    return LayerRefusedError(
        f"{kind} {operation.name!r} of class {type(operation).__name__}: {reason}"
    )


def constructor(
    name: str,
    *positional: str,
    activation: str | None = None,
    defaults: Mapping[str, Any] | None = None,
    **values: Any,
) -> str:
    """A constructor call with literals for the values that differ from their defaults."""
    given = without_defaults(values, dict(defaults or {}))
    first = [*positional, *([f"activation={activation}"] if activation else [])]
    return f"{name}({arguments(*first, **given)})"


def own_weights(layer: Any, *names: str) -> dict[str, Any]:
    """The layer's variables under these attribute names, without those it does not have."""
    return {name: value for name in names if (value := getattr(layer, name, None)) is not None}


def prefixed(prefix: str, weights: Mapping[str, Any]) -> dict[str, Any]:
    """Weights of a module that is held under the attribute ``prefix``."""
    return {f"{prefix}.{name}": value for name, value in weights.items()}


def require(layer: Any, condition: bool, reason: str) -> None:
    """Refuse a layer unless the condition holds.

    Raises:
        RefusedError: it does not hold; the message is the reason (the generator adds the layer's name).
    """
    del layer
    if not condition:
        raise RefusedError(reason)
