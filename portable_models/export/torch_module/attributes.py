"""The attributes of one generated class: its modules, parameters and buffers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from portable_models._keras.layers import all_layers, list_attributes, split_own_variables
from portable_models.export.errors import RefusedError
from portable_models.export.torch_module.naming import identifier, stable_names, unique
from portable_models.export.torch_module.rendering import literal
from portable_models.export.torch_module.translation import Translation, prefixed, refusal


class Attributes:
    """Names attributes, writes the statements that make them, and notes which weight each one is.

    Args:
        owner: the custom layer whose own variables the class holds, or None.
        floatx: the model's floating dtype.

    Attributes:
        statements: the body of ``__init__``.
        weights: attribute path -> Keras variable, or a constant as an array.
    """

    def __init__(self, owner: Any | None, floatx: str) -> None:
        self.owner = owner
        self.floatx = floatx
        self.statements: list[str] = []
        self.weights: dict[str, Any] = {}
        self._names: dict[int, str] = {}
        self._taken: set[str] = set()
        self._made: dict[str, str] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        # Names are looked up by id, so what they name must live as long.
        self._kept: list[Any] = []

    def name_layers(self, layers: Iterable[Any]) -> None:
        """Name layers: by the owner's attribute in a custom layer, else by their own names."""
        new = list({id(layer): layer for layer in layers if id(layer) not in self._names}.values())
        held = _held(self.owner) if self.owner is not None else {}
        names = stable_names(layer for layer in new if id(layer) not in held)
        for layer in new:
            wanted = held.get(id(layer)) or names[id(layer)]
            self._names[id(layer)] = unique(wanted, self._taken)
            self._kept.append(layer)

    def module(self, layer: Any, made: Translation) -> str:
        """The attribute of a layer, made on its first call.

        Raises:
            RefusedError: another call of the layer made another module.
        """
        name = self._names[id(layer)]
        if name in self._made:
            if self._made[name] != made.constructor:
                raise refusal(layer, "its calls differ in ways that one module cannot serve")
            return name
        self._made[name] = made.constructor
        self.statements.append(f"self.{name} = {made.constructor}")
        self.weights |= prefixed(name, made.weights)
        self._freeze(layer, name, made)
        return name

    def plain_module(self, wanted: str, made: Translation) -> str:
        """The attribute of a module that stands for no layer of its own."""
        name = unique(identifier(wanted), self._taken)
        self.statements.append(f"self.{name} = {made.constructor}")
        self.weights |= prefixed(name, made.weights)
        return name

    def _freeze(self, layer: Any, name: str, made: Translation) -> None:
        if made.constructor.endswith("()"):
            return  # a generated class freezes what is frozen in it
        fixed = {id(v) for sub in all_layers(layer) for v in split_own_variables(sub)[1]}
        weights = {
            key: value
            for key, value in made.weights.items()
            if isinstance(value, keras.Variable) and id(value) not in fixed
        }
        frozen = [key for key, value in weights.items() if not value.trainable]
        if frozen and len(frozen) == len(weights):
            self.statements.append(f"self.{name}.requires_grad_(False)")
        else:
            self.statements += [f"self.{name}.{key}.requires_grad_(False)" for key in frozen]

    def variable(self, variable: Any) -> str:
        """The attribute of one of the owner's own variables.

        Raises:
            RefusedError: the variable belongs to another layer.
        """
        if id(variable) in self._names:
            return self._names[id(variable)]
        trained, fixed = split_own_variables(self.owner)
        if not any(variable is each for each in [*trained, *fixed]):
            raise RefusedError(f"it computes with the variable {variable.path!r} of another layer")
        attributes = {id(value): key for key, value in vars(self.owner).items()}
        wanted = identifier(attributes.get(id(variable), variable.name))
        name = self._names[id(variable)] = unique(wanted, self._taken)
        self._kept.append(variable)
        shape = literal(tuple(variable.shape))
        if any(variable is each for each in fixed):
            self.statements.append(self._buffer(name, shape, variable.dtype))
        else:
            suffix = "" if variable.trainable else ", requires_grad=False"
            self.statements.append(f"self.{name} = nn.Parameter(torch.zeros({shape}){suffix})")
        self.weights[name] = variable
        return name

    def constant(self, value: Any) -> str:
        """The attribute of a constant tensor.

        Raises:
            RefusedError: the value is no tensor of numbers.
        """
        try:
            array = np.asarray(keras.ops.convert_to_numpy(value))
        except Exception as error:
            raise RefusedError(f"a value of type {type(value).__name__} is not carried") from error
        if array.dtype.kind not in "fiub":
            raise RefusedError(f"a constant of type {type(value).__name__} is not carried")
        key = (array.dtype.str, array.shape, array.tobytes())
        if key in self._constants:
            return self._constants[key]
        name = self._constants[key] = unique("constant", self._taken)
        floating = array.dtype.kind == "f"
        dtype = self.floatx if floating else array.dtype.name
        self.statements.append(self._buffer(name, literal(tuple(array.shape)), dtype))
        self.weights[name] = array.astype(self.floatx) if floating else array
        return name

    def dtype(self, name: str) -> str:
        """A Keras dtype as an expression; the model's floating dtype follows ``.to(dtype)``."""
        if name != self.floatx:
            return f"torch.{identifier(name)}"
        if "floating" not in self._taken:
            self._taken.add("floating")
            made = 'self.register_buffer("floating", torch.zeros(()), persistent=False)'
            self.statements.insert(0, made)
        return "self.floating.dtype"

    def _buffer(self, name: str, shape: str, dtype: str) -> str:
        kind = "" if dtype == self.floatx else f", dtype=torch.{dtype}"
        return f'self.register_buffer("{name}", torch.zeros({shape}{kind}))'


def _held(owner: Any) -> dict[int, str]:
    """The layers that a custom layer holds, by ``id`` -> attribute (numbered in lists).

    A layer under several attributes is named by the first in the alphabet, public ones before private.
    """
    found: dict[int, str] = {}
    attributes = list_attributes(owner).items()
    for key, value in sorted(attributes, key=lambda item: (item[0][:1] == "_", item[0])):
        if isinstance(value, keras.layers.Layer):
            found.setdefault(id(value), identifier(key))
        elif isinstance(value, list | tuple | dict):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for index, item in items:
                if isinstance(item, keras.layers.Layer):
                    found.setdefault(id(item), identifier(f"{key}_{index}"))
    return found
