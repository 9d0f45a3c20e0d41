"""Masks of padding in a generated ``forward``: which tensor has one, and which layer is given one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras

from portable_models._keras.layers import all_layers
from portable_models.export.torch_module.graph import Step, is_tensor, takes, tensors_in
from portable_models.export.torch_module.library import Definition

CROSSING = "<a mask that leaves a nested model>"
"""Stands for a mask that no expression reaches; a layer that would be given it is refused."""


def makes_mask(operation: Any) -> bool:
    """Whether a layer, or one inside it, makes masks."""
    inside = all_layers(operation) if isinstance(operation, keras.layers.Layer) else ()
    return any(
        isinstance(layer, keras.layers.Masking)
        or (isinstance(layer, keras.layers.Embedding) and layer.mask_zero)
        for layer in inside
    )


def bound_arguments(layer: Any, step: Step) -> dict[str, Any]:
    """The arguments of a call by name."""
    parameters = inspect.signature(layer.call).parameters.values()
    names = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]
    return {**dict(zip(names, step.args, strict=False)), **step.kwargs}


class Masks:
    """The masks of tensors, as expressions, by the rules of ``keras.layers.Layer.__call__``."""

    def __init__(self) -> None:
        self._of: dict[int, str] = {}

    def of(self, value: Any) -> str:
        """The masks of an argument's tensors, in its structure; "" if there are none."""
        if is_tensor(value):
            return self._of.get(id(value), "")
        if isinstance(value, list | tuple) and all(map(is_tensor, value)):
            masks = [self._of.get(id(item), "") for item in value]
            return f"[{', '.join(mask or 'None' for mask in masks)}]" if any(masks) else ""
        return ""

    def given_to(self, step: Step) -> dict[str, str]:
        """Mask argument -> expression, for the masks that Keras fills in for this call."""
        layer, found = step.operation, {}
        arguments = bound_arguments(layer, step)
        with_tensors = {key: value for key, value in arguments.items() if tensors_in(value)}
        if len(with_tensors) == 1:
            (value,) = with_tensors.values()
            if takes(layer, "mask") and arguments.get("mask") is None:
                found["mask"] = self.of(value)
        else:
            for key, value in with_tensors.items():
                name = f"{key}_mask"
                if takes(layer, name) and arguments.get(name) is None:
                    found[name] = self.of(value)
        return {name: mask for name, mask in found.items() if mask}

    def after(
        self,
        step: Step,
        result: str,
        definition: Definition | None,
        render: Callable[[Any], str],
    ) -> list[str]:
        """Note the mask of what a layer gives; returns the statement that computes it, if any.

        Args:
            step: the call.
            result: ``self.NAME`` of the layer's module.
            definition: the layer's class in the library, None for a generated class.
            render: gives the expression of a tensor.
        """
        layer, output = step.operation, step.outputs[0]
        if definition is None:
            if makes_mask(layer):
                self._of[id(output)] = CROSSING
            return []
        first = next(iter(bound_arguments(layer, step).values()), None)
        before = self.of(first)
        if not layer.supports_masking and not makes_mask(layer):
            return []
        if type(layer).compute_mask is keras.layers.Layer.compute_mask:
            if before and is_tensor(first):
                self._of[id(output)] = before
            return []
        recurrent = isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional)
        ends = recurrent and not layer.return_sequences
        if ends or "compute_mask" not in definition.methods or not (before or makes_mask(layer)):
            return []
        if CROSSING in before:
            self._of[id(output)] = CROSSING
            return []
        name = f"{render(output)}_mask"
        self._of[id(output)] = name
        return [f"{name} = {result}.compute_mask({render(first)}, {before or 'None'})"]


def check_reach(masks: Mapping[str, str], accepted: set[str]) -> bool:
    """Whether every mask can be handed to a module that accepts these arguments."""
    return all(name in accepted and CROSSING not in mask for name, mask in masks.items())
