"""The body of one generated class: its modules, its own weights, and the steps of ``forward``."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from portable_models.export.errors import RefusedError
from portable_models.export.torch_module import library
from portable_models.export.torch_module.graph import (
    Graph,
    Step,
    functional_of,
    is_tensor,
    takes,
    tensors_in,
)
from portable_models.export.torch_module.naming import identifier, stable_names, unique
from portable_models.export.torch_module.operations import expression
from portable_models.export.torch_module.rendering import literal
from portable_models.export.torch_module.translation import Translation, prefixed, refusal

if TYPE_CHECKING:
    from portable_models.export.torch_module.generator import Generator

_CROSSING = "<a mask that crosses the border of a nested model>"


class Body:
    """Collects what a class consists of while graphs are read into it.

    Args:
        generator: translates the layers that the graphs call.
        plumb: whether ``forward`` takes ``training`` and hands it on.
        owner: the custom layer whose variables the graphs use, or None.

    Attributes:
        weights: attribute path -> Keras variable, or a constant as an array.
        parameters: argument names of ``forward``.
    """

    def __init__(self, generator: Generator, plumb: bool, owner: Any | None) -> None:
        self.generator = generator
        self.plumb = plumb
        self.owner = owner
        self.weights: dict[str, Any] = {}
        self.uses_training = plumb
        self._init: list[str] = []
        self._lines: list[str] = []
        self.parameters: list[str] = []
        self._attributes: dict[int, str] = {}
        self._kept: list[Any] = []
        self._taken: set[str] = set()
        self._tensors: dict[int, str] = {}
        self._masks: dict[int, str] = {}
        self._module_of: dict[str, str] = {}
        self._mode: bool | None = None
        self._chain = False

    # Reading -------------------------------------------------------------------------------------

    def read(self, graph: Graph, names: Sequence[str], cast: bool = False) -> None:
        """Write the steps of a graph, after casts of the inputs to the dtypes that they declare."""
        self.parameters = list(names)
        self._lines = self._casts(graph, names, cast) + self._steps(graph, names)

    def read_modes(
        self, graphs: Sequence[Graph], names: Sequence[str], cast: bool = False
    ) -> None:
        """Write the steps of a layer's training graph and inference graph; once if they are alike."""
        self.parameters = list(names)
        written = []
        for mode, graph in zip((True, False), graphs, strict=True):
            self._mode = mode
            written.append(self._steps(graph, names))
        casts = self._casts(graphs[0], names, cast)
        if written[0] == written[1]:
            self._lines = casts + written[0]
            return
        self.uses_training = True
        self._lines = [
            *casts,
            "if training:",
            *textwrap.indent("\n".join(written[0]), "    ").split("\n"),
            *written[1],
        ]

    def _casts(self, graph: Graph, names: Sequence[str], cast: bool) -> list[str]:
        return [
            f"{name} = {name}.to({self.dtype(tensor.dtype)})"
            for name, tensor in zip(names, graph.inputs, strict=True)
            if cast
        ]

    def _steps(self, graph: Graph, names: Sequence[str]) -> list[str]:
        self._tensors = {id(t): name for t, name in zip(graph.inputs, names, strict=True)}
        self._masks = {}
        self._module_names(graph)
        for key, variable in graph.weights.items():
            self._tensors[key] = f"self.{self._variable(variable)}"
        masks = any(makes_mask(step.operation) for step in graph.steps)
        self._chain = not masks and len(names) == 1 and all(
            len(step.outputs) == 1
            and [id(t) for t in tensors_in((step.args, step.kwargs))] == [id(before)]
            for before, step in zip(
                [graph.inputs[0], *(s.outputs[0] for s in graph.steps)], graph.steps, strict=False
            )
        )
        lines: list[str] = []
        for step in graph.steps:
            if isinstance(step.operation, keras.layers.Layer):
                lines += self._layer(step)
            else:
                lines += self._operation(step)
        lines.append(f"return {self._returned(graph.outputs)}")
        return lines

    def _module_names(self, graph: Graph) -> None:
        """Name the layers that a graph calls: by attribute in a custom layer, else by their own names."""
        called = [s.operation for s in graph.steps if isinstance(s.operation, keras.layers.Layer)]
        layers = list({id(layer): layer for layer in called}.values())
        new = [layer for layer in layers if id(layer) not in self._attributes]
        held = _held(self.owner) if self.owner is not None else {}
        names = stable_names(layer for layer in new if id(layer) not in held)
        for layer in new:
            name = held.get(id(layer)) or names[id(layer)]
            self._attributes[id(layer)] = unique(name, self._taken)
            self._kept.append(layer)

    # Layers --------------------------------------------------------------------------------------

    def _layer(self, step: Step) -> list[str]:
        from portable_models.export.torch_module.generator import Call

        layer, name = step.operation, self._attributes[id(step.operation)]
        masks = self._masks_for(step)
        nested = functional_of(layer)
        training = self._training(step)
        plumb = bool(training)
        call = Call(step.args, step.kwargs, any(masks.values()))
        made = self.generator.translate(layer, call, plumb)
        self._place(layer, name, made)
        constructor_name = made.constructor.partition("(")[0]
        definition = library.definitions().get(constructor_name)
        if nested is not None:
            self._no_mask(masks, layer)
            inputs = keras.tree.flatten(step.args[0] if step.args else step.kwargs["inputs"])
            given = [self.render(tensor) for tensor in inputs]
        else:
            accepted = None if definition is None else set(definition.forward)
            if definition is None:
                tensors = tensors_in((step.args, call.kwargs))
                given = [self.render(tensor) for tensor in tensors]
            else:
                given = self._arguments(step, masks, accepted or set(), layer)
        if plumb and self.generator.takes_training(made.constructor):
            given.append(f"training={training}")
        lines = self._assign(step, f"self.{name}({', '.join(given)})", nested)
        return lines + self._mask_after(step, name, masks, definition, nested)

    def _place(self, layer: Any, name: str, made: Translation) -> None:
        if name in self._module_of:
            if self._module_of[name] != made.constructor:
                raise RefusedError(f"layer {layer.name!r} is called in ways that differ")
            return
        self._module_of[name] = made.constructor
        self._init.append(f"self.{name} = {made.constructor}")
        self.weights |= prefixed(name, made.weights)
        variables = {k: v for k, v in made.weights.items() if isinstance(v, keras.Variable)}
        if made.constructor in self.generator.classes or made.constructor.endswith("()"):
            return  # its own class freezes what is frozen in it
        fixed = {id(v) for sub in layer._flatten_layers() for v in sub._non_trainable_variables}
        weights = {k: v for k, v in variables.items() if id(v) not in fixed}
        frozen = [k for k, v in weights.items() if not v.trainable]
        if frozen and len(frozen) == len(weights):
            self._init.append(f"self.{name}.requires_grad_(False)")
        else:
            self._init += [f"self.{name}.{k}.requires_grad_(False)" for k in frozen]

    def _arguments(
        self, step: Step, masks: Mapping[str, Any], accepted: set[str], layer: Any
    ) -> list[str]:
        given = [self.render(value) for value in step.args]
        for key, value in step.kwargs.items():
            if key == "training" or value is None:
                continue
            if key not in accepted:
                raise refusal(layer, f"the argument {key!r} of its call is not carried")
            given.append(f"{key}={self.render(value)}")
        for key, mask in masks.items():
            if mask:
                if key not in accepted or _CROSSING in mask:
                    raise refusal(layer, "the mask that it is given is not carried")
                given.append(f"{key}={mask}")
        return given

    def _training(self, step: Step) -> str:
        """The mode handed to a layer as an expression; "" where it follows ``train()`` and ``eval()``.

        A Functional model hands on its own mode, whatever its layers were called with when it was made.
        A custom layer hands on its own unless it names another.
        """
        value = step.kwargs.get("training")
        if self._mode is not None and value is not None and value is not self._mode:
            return literal(bool(value))
        return "training" if self.plumb else ""

    # Masks ---------------------------------------------------------------------------------------

    def _masks_for(self, step: Step) -> dict[str, str]:
        """Mask argument -> expression ("" for none), as ``Layer.__call__`` fills them in."""
        layer = step.operation
        names = _bound(layer, step)
        with_tensors = {k: v for k, v in names.items() if tensors_in(v)}
        found: dict[str, str] = {}
        if len(with_tensors) == 1:
            ((_, value),) = with_tensors.items()
            if takes(layer, "mask") and names.get("mask") is None:
                found["mask"] = self._mask_of(value)
            elif takes(layer, "mask"):
                found["mask"] = ""
        for key, value in with_tensors.items():
            if len(with_tensors) > 1 and takes(layer, f"{key}_mask"):
                if names.get(f"{key}_mask") is None:
                    found[f"{key}_mask"] = self._mask_of(value)
        return found

    def _mask_of(self, value: Any) -> str:
        """The masks of an argument's tensors, in its structure; "" if there are none."""
        if is_tensor(value):
            return self._masks.get(id(value), "")
        if isinstance(value, list | tuple) and all(map(is_tensor, value)):
            masks = [self._masks.get(id(item), "") for item in value]
            return f"[{', '.join(mask or 'None' for mask in masks)}]" if any(masks) else ""
        return ""

    def _no_mask(self, masks: Mapping[str, str], layer: Any) -> None:
        if any(masks.values()):
            raise refusal(layer, "a mask goes into this nested model, which is not carried")

    def _mask_after(
        self, step: Step, name: str, masks: Mapping[str, str], definition: Any, nested: Any
    ) -> list[str]:
        """Note (and compute, where it is not the input's) the mask of what a layer gives."""
        layer = step.operation
        values = list(_bound(layer, step).values())
        first = values[0] if values else None
        before = masks.get("mask") or self._mask_of(first)
        if nested is not None or not layer.supports_masking:
            if nested is not None and makes_mask(layer):
                self._masks[id(step.outputs[0])] = _CROSSING
            return []
        if type(layer).compute_mask is keras.layers.Layer.compute_mask:
            if before and is_tensor(first):
                self._masks[id(step.outputs[0])] = before
            return []
        source = isinstance(layer, keras.layers.Embedding | keras.layers.Masking)
        if not before and not (source and getattr(layer, "mask_zero", True)):
            return []
        if definition is None or "compute_mask" not in definition.methods:
            return []
        if isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional):
            if not layer.return_sequences:
                return []
        result = f"{self._tensors[id(step.outputs[0])]}_mask"
        # In a chain every tensor is called x; the mask is made from what went in.
        made = f"{result} = self.{name}.compute_mask({self.render(first)}, {before or 'None'})"
        self._masks[id(step.outputs[0])] = result
        return [made]

    # Operations ----------------------------------------------------------------------------------

    def _operation(self, step: Step) -> list[str]:
        made = expression(step, self)
        if made is None:
            raise refusal(step.operation, "it has no translation into plain PyTorch yet")
        return self._assign(step, made, None)

    def render(self, value: Any) -> str:
        """A value as an expression: tensors by name, weights as attributes."""

        def other(leaf: Any) -> str:
            if is_tensor(leaf):
                return self._tensors[id(leaf)]
            if isinstance(leaf, keras.Variable):
                return f"self.{self._variable(leaf)}"
            return f"self.{self._constant(leaf)}"

        return literal(value, other)

    def dtype(self, name: str) -> str:
        """A Keras dtype as an expression; the model's floating dtype follows ``.to(dtype)``."""
        if name != self.generator.floatx:
            return f"torch.{name}"
        if "floating" not in self._taken:
            self._taken.add("floating")
            made = 'self.register_buffer("floating", torch.zeros(()), persistent=False)'
            self._init.append(made)
        return "self.floating.dtype"

    def _variable(self, variable: Any) -> str:
        """The attribute of one of the owner's own variables."""
        if id(variable) in self._attributes:
            return self._attributes[id(variable)]
        own = {id(v): k for k, v in vars(self.owner).items()} if self.owner is not None else {}
        listed = [*getattr(self.owner, "_trainable_variables", ())]
        fixed = [*getattr(self.owner, "_non_trainable_variables", ())]
        if not any(variable is each for each in [*listed, *fixed]):
            raise RefusedError(f"it computes with the variable {variable.path!r} of another layer")
        name = unique(identifier(own.get(id(variable), variable.name)), self._taken)
        self._attributes[id(variable)] = name
        shape = literal(tuple(variable.shape))
        if any(variable is each for each in fixed):
            self._init.append(f'self.register_buffer("{name}", torch.zeros({shape}))')
        else:
            suffix = "" if variable.trainable else ", requires_grad=False"
            self._init.append(f"self.{name} = nn.Parameter(torch.zeros({shape}){suffix})")
        self.weights[name] = variable
        return name

    def _constant(self, value: Any) -> str:
        """The attribute of a constant tensor."""
        array = np.asarray(keras.ops.convert_to_numpy(value))
        if array.dtype.kind not in "fiub":
            raise RefusedError(f"a constant of type {type(value).__name__} is not carried")
        name = unique("constant", self._taken)
        floating = array.dtype.kind == "f"
        dtype = "" if floating else f", dtype=torch.{array.dtype.name}"
        shape = literal(tuple(array.shape))
        self._init.append(f'self.register_buffer("{name}", torch.zeros({shape}{dtype}))')
        self.weights[name] = array.astype(self.generator.floatx) if floating else array
        return name

    # Writing -------------------------------------------------------------------------------------

    def _assign(self, step: Step, made: str, nested: Any) -> list[str]:
        outputs = step.outputs
        structure = None if nested is None else nested._outputs_struct
        if isinstance(structure, dict):
            name = f"h{len(self._tensors)}"
            paths = [path for path, _ in keras.tree.flatten_with_path(structure)]
            for tensor, path in zip(outputs, paths, strict=True):
                keys = "".join(f"[{literal(key)}]" for key in path)
                self._tensors[id(tensor)] = f"{name}{keys}"
            return [f"{name} = {made}"]
        names = []
        for tensor in outputs:
            # Tensors are looked up by id, so they must outlive the body.
            self._kept.append(tensor)
            name = "x" if self._chain else f"h{len(self._tensors)}"
            self._tensors[id(tensor)] = name
            names.append(name)
        return [f"{', '.join(names)} = {made}"]

    def _returned(self, outputs: Any) -> str:
        leaves = keras.tree.flatten(outputs)
        if len(leaves) == 1 and not isinstance(outputs, dict):
            return self._tensors[id(leaves[0])]
        plain = tuple(outputs) if isinstance(outputs, list) else outputs
        return self.render(plain)

    def class_source(self, kind: str) -> str:
        """The class, with ``{name}`` for its own name."""
        parameters = ", ".join(f"{name}: Tensor" for name in self.parameters)
        if self.uses_training:
            parameters += ", training: bool | None = None"
        lines = list(self._lines)
        if self.uses_training and any(line == "if training:" for line in lines):
            lines.insert(0, "training = self.training if training is None else training")
        body = [
            "class {name}(nn.Module):",
            f'    """Keras class: {identifier(kind)}."""',
            "",
            "    def __init__(self) -> None:",
            "        super().__init__()",
            *(f"        {line}" for line in self._init),
            "",
            f"    def forward(self, {parameters}) -> {self._result()}:",
            *(f"        {line}" for line in lines),
        ]
        return "\n".join(body)

    def function_source(self) -> str:
        """The graph as a function of its first input."""
        if self._init:
            raise RefusedError("it uses variables or constants")
        lines = "\n".join(f"    {line}" for line in self._lines)
        return f"def {{name}}(x: Tensor) -> Tensor:\n{lines}"

    def _result(self) -> str:
        last = self._lines[-1]
        if last.startswith("return ("):
            return "tuple[Tensor, ...]"
        return "dict[str, Tensor]" if last.startswith("return {") else "Tensor"


def _held(owner: Any) -> dict[int, str]:
    """The layers that a custom layer holds, by ``id`` -> attribute (numbered in lists)."""
    found: dict[int, str] = {}
    for key, value in vars(owner).items():
        if key.startswith("_") and key.strip("_") in ("layers", "inbound_nodes", "metrics"):
            continue
        if isinstance(value, keras.layers.Layer):
            found.setdefault(id(value), identifier(key))
        elif isinstance(value, list | tuple | dict):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for index, item in items:
                if isinstance(item, keras.layers.Layer):
                    found.setdefault(id(item), identifier(f"{key}_{index}"))
    return found


def _bound(layer: Any, step: Step) -> dict[str, Any]:
    """The arguments of a call by name."""
    import inspect

    parameters = list(inspect.signature(layer.call).parameters.values())
    names = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]
    given = dict(zip(names, step.args, strict=False))
    return {**given, **step.kwargs}


def makes_mask(operation: Any) -> bool:
    """Whether a layer, or one inside it, makes masks."""
    inside = operation._flatten_layers() if hasattr(operation, "_flatten_layers") else ()
    return any(
        isinstance(layer, keras.layers.Masking)
        or (isinstance(layer, keras.layers.Embedding) and layer.mask_zero)
        for layer in inside
    )
