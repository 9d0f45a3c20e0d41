"""One generated class: the statements of its ``forward``, written from graphs of steps."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras

from portable_models._keras.graph import find_functional
from portable_models.export.errors import RefusedError
from portable_models.export.torch_module import library
from portable_models.export.torch_module.attributes import Attributes
from portable_models.export.torch_module.graph import (
    Call,
    Graph,
    Step,
    is_tensor,
    tensors_in,
)
from portable_models.export.torch_module.masks import Masks, check_reach, makes_mask
from portable_models.export.torch_module.naming import identifier
from portable_models.export.torch_module.operations import expression
from portable_models.export.torch_module.rendering import literal
from portable_models.export.torch_module.translation import refusal

if TYPE_CHECKING:
    from portable_models.export.torch_module.generator import Generator


class Body:
    """Collects what a class consists of while graphs are read into it.

    Args:
        generator: translates the layers that the graphs call.
        plumb: whether ``forward`` takes ``training`` and hands it on.
        owner: the custom layer whose variables the graphs use, or None.

    Attributes:
        attributes: what ``__init__`` makes.
        parameters: argument names of ``forward``.
        uses_training: whether ``forward`` takes ``training``.
    """

    def __init__(self, generator: Generator, plumb: bool, owner: Any | None) -> None:
        self.attributes = Attributes(owner, generator.floatx)
        self.parameters: list[str] = []
        self.uses_training = plumb
        self._generator = generator
        self._plumb = plumb
        self._mode: bool | None = None
        self._lines: list[str] = []
        self._tensors: dict[int, str] = {}
        self._kept: list[Any] = []
        self._masks = Masks()
        self._chain = False

    def read(self, graph: Graph, names: Sequence[str], cast: bool = False) -> None:
        """Write the steps of a graph, after casts of the inputs to the dtypes that they declare."""
        self.parameters = list(names)
        self._lines = self._casts(graph, names, cast) + self._steps(graph, names)

    def read_modes(self, graphs: Sequence[Graph], names: Sequence[str], cast: bool = False) -> None:
        """Write a layer's training graph and inference graph; once if they are alike."""
        self.parameters = list(names)
        casts = self._casts(graphs[0], names, cast)
        written = []
        for mode, graph in zip((True, False), graphs, strict=True):
            self._mode = mode
            written.append(self._steps(graph, names))
        training, inference = written
        if training == inference:
            self._lines = casts + training
            return
        self.uses_training = True
        self._lines = [
            *casts,
            "if self.training if training is None else training:",
            *textwrap.indent("\n".join(training), "    ").split("\n"),
            *inference,
        ]

    def _casts(self, graph: Graph, names: Sequence[str], cast: bool) -> list[str]:
        return [
            f"{name} = {name}.to({self.dtype(tensor.dtype)})"
            for name, tensor in zip(names, graph.inputs, strict=True)
            if cast
        ]

    def _steps(self, graph: Graph, names: Sequence[str]) -> list[str]:
        self._tensors = {id(t): name for t, name in zip(graph.inputs, names, strict=True)}
        self._masks = Masks()
        self._kept.append(graph)
        called = (s.operation for s in graph.steps if isinstance(s.operation, keras.layers.Layer))
        self.attributes.name_layers(called)
        for key, variable in graph.weights.items():
            self._tensors[key] = f"self.{self.attributes.variable(variable)}"
        self._chain = _is_chain(graph) and not any(makes_mask(s.operation) for s in graph.steps)
        lines: list[str] = []
        for step in graph.steps:
            layer = isinstance(step.operation, keras.layers.Layer)
            lines += self._layer(step) if layer else self._operation(step)
        return [*lines, f"return {self._returned(graph.outputs)}"]

    def _layer(self, step: Step) -> list[str]:
        layer, training = step.operation, self._training(step)
        masks = self._masks.given_to(step)
        call = Call(step.args, step.kwargs, bool(masks))
        made = self._generator.translate(layer, call, plumb=bool(training))
        module = f"self.{self.attributes.module(layer, made)}"
        definition = library.definitions().get(made.constructor.partition("(")[0])
        nested = find_functional(layer)
        if definition is not None:
            given = self._arguments(step, masks, set(definition.forward))
        elif masks and nested is not None:
            raise refusal(layer, "a mask goes into this nested model, which is not carried")
        else:
            given = [self.render(tensor) for tensor in tensors_in((step.args, call.kwargs))]
        if training and self._generator.takes_training(made.constructor):
            given.append(f"training={training}")
        lines = self._assign(step, f"{module}({', '.join(given)})", nested)
        return lines + self._masks.after(step, module, definition, self.render)

    def _arguments(self, step: Step, masks: Mapping[str, str], accepted: set[str]) -> list[str]:
        given = [self.render(value) for value in step.args]
        for key, value in step.kwargs.items():
            if key == "training" or value is None:
                continue
            if key not in accepted:
                raise refusal(step.operation, f"the argument {key!r} of its call is not carried")
            given.append(f"{key}={self.render(value)}")
        if not check_reach(masks, accepted):
            raise refusal(step.operation, "the mask that it is given is not carried")
        return given + [f"{key}={mask}" for key, mask in masks.items()]

    def _training(self, step: Step) -> str:
        """The mode handed to a layer as an expression; "" where it follows ``train()`` and ``eval()``.

        A Functional model hands on its own mode, whatever its layers were called with when it was made.
        A custom layer hands on its own unless it names another.
        """
        value = step.kwargs.get("training")
        if self._mode is not None and value is not None and value is not self._mode:
            return literal(bool(value))
        return "training" if self._plumb else ""

    def _operation(self, step: Step) -> list[str]:
        made = expression(step, self)
        if made is None:
            raise refusal(step.operation, "it has no translation into plain PyTorch yet")
        return self._assign(step, made, None)

    def render(self, value: Any) -> str:
        """A value as an expression: tensors by name, weights and constants as attributes."""

        def other(leaf: Any) -> str:
            if is_tensor(leaf):
                return self._tensors[id(leaf)]
            if isinstance(leaf, keras.Variable):
                return f"self.{self.attributes.variable(leaf)}"
            return f"self.{self.attributes.constant(leaf)}"

        return literal(value, other)

    def dtype(self, name: str) -> str:
        """A Keras dtype as an expression."""
        return self.attributes.dtype(name)

    def _assign(self, step: Step, made: str, nested: Any) -> list[str]:
        structure = None if nested is None else nested.output
        if isinstance(structure, dict):
            name = f"h{len(self._tensors)}"
            paths = [path for path, _ in keras.tree.flatten_with_path(structure)]
            for tensor, path in zip(step.outputs, paths, strict=True):
                keys = "".join(f"[{literal(key)}]" for key in path)
                self._tensors[id(tensor)] = f"{name}{keys}"
            return [f"{name} = {made}"]
        names = []
        for tensor in step.outputs:
            name = "x" if self._chain else f"h{len(self._tensors)}"
            self._tensors[id(tensor)] = name
            names.append(name)
        return [f"{', '.join(names)} = {made}"]

    def _returned(self, outputs: Any) -> str:
        leaves = keras.tree.flatten(outputs)
        if len(leaves) == 1 and not isinstance(outputs, dict):
            return self._tensors[id(leaves[0])]
        return self.render(tuple(outputs) if isinstance(outputs, list) else outputs)

    def class_source(self, kind: str) -> str:
        """The class, with ``{name}`` for its own name."""
        parameters = [f"{name}: Tensor" for name in self.parameters]
        if self.uses_training:
            parameters.append("training: bool | None = None")
        return "\n".join(
            [
                "class {name}(nn.Module):",
                f'    """Keras class: {identifier(kind)}."""',
                "",
                "    def __init__(self) -> None:",
                "        super().__init__()",
                *(f"        {line}" for line in self.attributes.statements),
                "",
                f"    def forward(self, {', '.join(parameters)}) -> {self._result()}:",
                *(f"        {line}" for line in self._lines),
            ]
        )

    def function_source(self) -> str:
        """The graph as a function of its first input.

        Raises:
            RefusedError: it needs weights, constants or modules.
        """
        if self.attributes.statements:
            raise RefusedError("it uses variables or constants")
        lines = "\n".join(f"    {line}" for line in self._lines)
        return f"def {{name}}({self.parameters[0]}: Tensor) -> Tensor:\n{lines}"

    def _result(self) -> str:
        last = self._lines[-1]
        if last.startswith("return ("):
            return "tuple[Tensor, ...]"
        return "dict[str, Tensor]" if last.startswith("return {") else "Tensor"


def _is_chain(graph: Graph) -> bool:
    """Whether every step takes only what the step before gives; then one name is enough."""
    if len(graph.inputs) != 1:
        return False
    before = [graph.inputs[0], *(step.outputs[0] for step in graph.steps)]
    return all(
        len(step.outputs) == 1
        and [id(tensor) for tensor in tensors_in((step.args, step.kwargs))] == [id(given)]
        for given, step in zip(before, graph.steps, strict=False)
    )
