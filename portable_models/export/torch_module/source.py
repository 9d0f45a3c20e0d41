"""The text of a generated ``model.py``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from portable_models._keras.graph import find_functional
from portable_models.export.torch_module import library
from portable_models.export.torch_module.call_inputs import look_at
from portable_models.export.torch_module.generator import Generator
from portable_models.export.torch_module.graph import Call
from portable_models.export.torch_module.penalties import constraint_lines, penalty_terms

_HEAD = '''"""A Keras model as plain PyTorch: no Keras is needed to run or to train it.

Made by portable-models. Weights keep Keras's layout (a Dense kernel is (inputs, units)).

    import model
    net = model.load()               # with the weights of weights.safetensors beside this file
    net = model.build()              # or without: net.load_state_dict(...)
    net.train()                      # Dropout and BatchNormalization follow train() and eval()
"""
'''

_TAIL = '''

def build() -> Model:
    """The model without its weights (every one is 0, or 1 for a scale): load a state_dict into it."""
    return Model(){dtype}


def load(path: str | Path | None = None) -> Model:
    """The model in evaluation mode with the weights of a safetensors file."""
    from safetensors.torch import load_file

    net = build()
    net.load_state_dict(load_file(path or Path(__file__).with_name("weights.safetensors")))
    return net.eval()
'''


@dataclass(frozen=True)
class Source:
    """A generated module.

    Args:
        text: Python source that imports torch only.
        weights: state_dict key -> Keras variable, or a constant as an array.
        inputs: argument names of ``forward``, in order.
    """

    text: str
    weights: Mapping[str, Any]
    inputs: tuple[str, ...]


def generate(model: Any) -> Source:
    """Write a model as plain PyTorch.

    Args:
        model: a built Keras model.

    Raises:
        RefusedError: a layer has no translation; the message names layer, class and reason.
    """
    generator = Generator(model)
    generator.reserve({"Model", "build", "load", *library.definitions()})
    made = generator.translate(model, _call_of(model), plumb=False)
    root = made.constructor.removesuffix("()")
    keys = {id(v): key for key, v in made.weights.items() if isinstance(v, keras.Variable)}
    extra = _methods(penalty_terms(model, keys), constraint_lines(model, keys))
    classes = [
        re.sub(rf"\bclass {root}\(", "class Model(", text) + extra if name == root else text
        for name, text in generator.classes.items()
    ]
    definitions = library.closure(set().union(*(library.names_in(text) for text in classes)))
    imports = {"import torch", "from pathlib import Path", "from torch import Tensor, nn"}
    for definition in definitions:
        imports |= definition.imports
    joined = "\n\n\n".join([d.text for d in definitions] + classes)
    if "functional." in joined:
        imports.add("from torch.nn import functional")
    dtype = "" if generator.floatx == "float32" else f".to(torch.{generator.floatx})"
    head = _HEAD + "\nfrom __future__ import annotations\n\n" + _import_block(imports)
    text = head + "\n\n" + joined + "\n" + _TAIL.replace("{dtype}", dtype)
    compile(text, "model.py", "exec")
    return Source(text, made.weights, generator.inputs)


def _call_of(model: Any) -> Call | None:
    """How a model that is only code is called; None for one that Keras keeps the graph of."""
    if find_functional(model) is not None:
        return None
    seen = look_at(model)
    given = [keras.KerasTensor(each.shape, each.dtype) for each in seen.signature.inputs]
    packed = seen.pack(given)
    if seen.keywords:
        return Call((), dict(zip(seen.keywords, packed, strict=True)), masked=False)
    return Call((packed,), {}, masked=False)


def _methods(terms: list[str], constraints: list[str]) -> str:
    total = " + ".join(terms) or "next(self.parameters(), torch.zeros(())).new_zeros(())"
    lines = [
        "",
        "",
        "    def regularization_loss(self) -> Tensor:",
        '        """What Keras adds to the loss for the weights\' regularizers."""',
        f"        return {total}",
    ]
    if constraints:
        lines += [
            "",
            "    @torch.no_grad()",
            "    def apply_constraints(self) -> None:",
            '        """Put the weights back where Keras\'s constraints hold them, after each step."""',
            *(f"        {line}" for line in constraints),
        ]
    return "\n".join(lines)


def _import_block(imports: set[str]) -> str:
    merged: dict[str, set[str]] = {}
    plain = []
    for statement in imports:
        if statement.startswith("from "):
            module, names = statement.removeprefix("from ").split(" import ")
            merged.setdefault(module, set()).update(names.split(", "))
        else:
            plain.append(statement)
    lines = sorted(plain)
    lines += [f"from {m} import {', '.join(sorted(n))}" for m, n in sorted(merged.items())]
    standard = [line for line in lines if "torch" not in line]
    return "\n".join([*standard, "", *(line for line in lines if "torch" in line)])
