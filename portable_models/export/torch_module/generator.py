"""A Keras model as PyTorch classes: one for each nested model and each custom layer."""

from __future__ import annotations

from typing import Any

import keras

from portable_models._keras.graph import find_functional, find_operation
from portable_models.export.errors import RefusedError
from portable_models.export.messages import plain_reason
from portable_models.export.torch_module import (
    layers_basic,
    layers_preprocessing,
    layers_sequence,
    layers_spatial,
    library,
)
from portable_models.export.torch_module.body import Body
from portable_models.export.torch_module.graph import (
    Call,
    graph_of,
    symbolic_call,
    takes,
)
from portable_models.export.torch_module.naming import class_name, identifier, stable_names, unique
from portable_models.export.torch_module.translation import (
    LayerRefusedError,
    Translation,
    refusal,
)

_TRANSLATORS = (
    layers_basic.TRANSLATORS
    | layers_preprocessing.TRANSLATORS
    | layers_spatial.TRANSLATORS
    | layers_sequence.TRANSLATORS
)


class Generator:
    """Translates layers, and collects the classes and functions that it writes on the way.

    Args:
        root: the whole model, whose inputs are cast to the dtypes that it declares.

    Attributes:
        classes: source of each class or function written, by name, in order.
        inputs: argument names of the whole model.
    """

    def __init__(self, root: Any) -> None:
        self.root = root
        self.floatx = root.compute_dtype
        self.classes: dict[str, str] = {}
        self.inputs: tuple[str, ...] = ()
        self.training_aware: set[str] = set()
        self._made: dict[tuple[Any, ...], tuple[Any, Translation]] = {}
        self._names: set[str] = set()

    def child(self, layer: Any) -> Translation:
        """The translation of a layer that is not called in a graph of its own."""
        return self.translate(layer, None, plumb=True)

    def translate(self, layer: Any, call: Call | None, plumb: bool) -> Translation:
        """The translation of a layer.

        Args:
            layer: a Keras layer or nested model.
            call: how it is called, where that is known; a custom layer is traced from it.
            plumb: whether its class takes a ``training`` argument.

        Raises:
            RefusedError: it has none; the message names the layer, its class and the reason.
        """
        try:
            self._check(layer)
            translator = _TRANSLATORS.get(type(layer))
            if translator is not None:
                return translator(layer, self)
            functional = find_functional(layer)
            if functional is not None:
                return self._model(layer, functional, plumb)
            return self._custom(layer, call, plumb)
        except LayerRefusedError:
            raise
        except RefusedError as error:
            raise refusal(layer, error) from error
        except (TypeError, ValueError, NotImplementedError, AttributeError) as error:
            # Its call does something that cannot be traced; the layer is named, not the place in Keras.
            reason = f"its call cannot be traced ({plain_reason(error)}); --to torch holds it for inference"
            raise refusal(layer, reason) from error

    def takes_training(self, made: str) -> bool:
        """Whether the ``forward`` of what this constructor makes has a ``training`` argument."""
        name = made.partition("(")[0]
        definition = library.definitions().get(name)
        known = definition is not None and "training" in definition.forward
        return known or name in self.training_aware

    def activation(self, function: Any) -> str | None:
        """An expression for an activation function: a name, a module, or a traced function."""
        if function is None or function is keras.activations.linear:
            return None
        name = getattr(function, "__name__", "")
        if getattr(keras.activations, name, None) is function:
            return str(name)
        if isinstance(function, keras.layers.Layer):
            child = self.child(function)
            if child.weights:
                raise RefusedError("its activation is a layer with weights")
            return child.constructor
        return self._function(function)

    def write(self, wanted: str, source: str) -> str:
        """Keep a class or function whose name in ``source`` is ``{name}``; returns the name.

        Equal source is kept once: blocks that are alike share a class.
        """
        for name, kept in self.classes.items():
            if kept == source.replace("{name}", name):
                return name
        name = unique(wanted, self._names)
        self.classes[name] = source.replace("{name}", name)
        return name

    def reserve(self, names: set[str]) -> None:
        """Keep these names out of those given to classes."""
        self._names |= names

    def _check(self, layer: Any) -> None:
        if layer.quantization_mode is not None:
            raise RefusedError(
                f"it is quantized ({layer.quantization_mode}): it rounds its inputs at every call, which no "
                "layer of torch.nn does; export the model as it was before quantize(), or take --to torch"
            )
        if layer.compute_dtype != layer.variable_dtype:
            raise RefusedError(
                f"it computes in {layer.compute_dtype} with weights in {layer.variable_dtype}; "
                "set one dtype policy for both"
            )
        floating = keras.backend.is_float_dtype(layer.compute_dtype)
        if floating and layer.compute_dtype != self.floatx:
            raise RefusedError(
                f"it computes in {layer.compute_dtype}, the model in {self.floatx}; "
                "mixed dtypes are not carried"
            )

    def _model(self, model: Any, functional: Any, plumb: bool) -> Translation:
        key = (id(model), plumb)
        if key not in self._made:
            body = Body(self, plumb, owner=None)
            body.read(graph_of(functional), _input_names(functional), cast=model is self.root)
            self._made[key] = (model, self._written(model, body))
        return self._made[key][1]

    def _custom(self, layer: Any, call: Call | None, plumb: bool) -> Translation:
        if call is None:
            raise RefusedError("a custom layer inside a wrapper is not carried")
        if call.masked and (layer.supports_masking or takes(layer, "mask")):
            raise RefusedError("it is given a mask, and masks do not go into custom layers")
        if type(layer).compute_mask is not keras.layers.Layer.compute_mask:
            raise RefusedError("it defines compute_mask, which is not carried")
        key = (id(layer), plumb, call.signature())
        if key not in self._made:
            for made in self._made:
                if made[0] == id(layer):
                    raise RefusedError("it is called in several ways (shapes or arguments)")
            graphs = call.graphs(layer)
            body = Body(self, plumb, owner=layer)
            body.read_modes(graphs, call.names(layer), cast=layer is self.root)
            self._made[key] = (layer, self._written(layer, body))
        return self._made[key][1]

    def _written(self, layer: Any, body: Body) -> Translation:
        if layer is self.root:
            self.inputs = tuple(body.parameters)
        name = self.write(class_name(layer.name), body.class_source(type(layer).__name__))
        if body.uses_training:
            self.training_aware.add(name)
        return Translation(f"{name}()", body.attributes.weights)

    def _function(self, function: Any) -> str:
        tensor = keras.KerasTensor((None, 4), self.floatx)
        try:
            graph = symbolic_call(function, None, (tensor,), {})
            body = Body(self, False, owner=None)
            body.read(graph, ["x"])
            source = body.function_source()
        except RefusedError as error:
            raise RefusedError(f"its activation {function!r} cannot be traced: {error}") from error
        name = getattr(function, "__name__", type(function).__name__)
        return self.write(identifier(name), source)


def _input_names(functional: Any) -> list[str]:
    """A name for each input of a Functional model: its key in a dict, or its layer's name."""
    structure = functional.input
    if not isinstance(structure, dict):
        layers = [find_operation(tensor) for tensor in functional.inputs]
        named = stable_names(layers)
        return ["x"] if len(layers) == 1 else [named[id(layer)] for layer in layers]
    taken: set[str] = set()
    paths = [path for path, _ in keras.tree.flatten_with_path(structure)]
    return [unique(identifier("_".join(map(str, path))), taken) for path in paths]
