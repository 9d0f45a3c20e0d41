"""Weight regularizers and constraints of a Keras model as source lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import constraints, regularizers

from portable_models._keras.layers import all_layers
from portable_models.export.errors import RefusedError
from portable_models.export.torch_module.rendering import arguments, literal


def penalty_terms(model: Any, keys: Mapping[int, str]) -> list[str]:
    """One expression for each regularized variable.

    Args:
        model: a Keras model.
        keys: ``id`` of a variable -> its state_dict key.

    Raises:
        RefusedError: a regularizer is of a class without a translation.
    """
    return [
        _penalty(variable.regularizer, f"self.{keys[id(variable)]}", variable.path)
        for variable in model.trainable_variables
        if variable.regularizer is not None and id(variable) in keys
    ]


def _penalty(regularizer: Any, weight: str, path: str) -> str:
    kind = type(regularizer)
    if kind in (regularizers.L1, regularizers.L2, regularizers.L1L2):
        amounts = {
            name: float(value) for name in ("l1", "l2") if (value := getattr(regularizer, name, 0))
        }
        return f"l1_l2({arguments(weight, **amounts)})"
    if kind is regularizers.OrthogonalRegularizer:
        factor = literal(float(regularizer.factor))
        return f"orthogonal({weight}, {factor}, {literal(regularizer.mode)})"
    raise RefusedError(
        f"variable {path!r}: its regularizer of class {kind.__name__} is not carried"
    )


def constraint_lines(model: Any, keys: Mapping[int, str]) -> list[str]:
    """One statement for each constrained variable.

    Args:
        model: a Keras model.
        keys: ``id`` of a variable -> its state_dict key.

    Raises:
        RefusedError: a constraint is of a class without a translation.
    """
    lines = []
    for variable in model.trainable_variables:
        if variable.constraint is not None and id(variable) in keys:
            weight = f"self.{keys[id(variable)]}"
            made = _constraint(variable.constraint, weight, variable.path)
            lines.append(f"{weight}.copy_({made})")
    return lines


_CONSTRAINTS = {
    constraints.MaxNorm: ("max_norm", ("max_value", "axis")),
    constraints.NonNeg: ("non_negative", ()),
    constraints.UnitNorm: ("unit_norm", ("axis",)),
    constraints.MinMaxNorm: ("min_max_norm", ("min_value", "max_value", "rate", "axis")),
}


def _constraint(constraint: Any, weight: str, path: str) -> str:
    if type(constraint) not in _CONSTRAINTS:
        kind = type(constraint).__name__
        raise RefusedError(f"variable {path!r}: its constraint of class {kind} is not carried")
    function, attributes = _CONSTRAINTS[type(constraint)]
    # Some backends hold the numbers as tensors; the configuration has them as plain values.
    config = constraint.get_config()
    values = (literal(config[name]) for name in attributes)
    return f"{function}({arguments(weight, *values)})"


def not_carried(model: Any) -> list[str]:
    """What a model adds to its loss that the generated module does not compute, one line each."""
    return [
        f"layer {layer.name!r}: its activity regularizer "
        f"({type(layer.activity_regularizer).__name__}) is not part of regularization_loss()"
        for layer in all_layers(model)
        if getattr(layer, "activity_regularizer", None) is not None
    ]
