"""What a name in a module stands for, through aliases, imports and re-exports."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TypeAlias

from backends_matrix.lint.modules import Binding, Imported, Module, dotted
from backends_matrix.lint.project import Project

DEEPEST = 12
"""Re-exports followed; longer chains are cycles."""


@dataclass(frozen=True, slots=True)
class External:
    """Something outside of what is read, by its absolute dotted name."""

    name: str


@dataclass(frozen=True, slots=True)
class Definition:
    """A class, function or value, and the module in which it stands."""

    module: Module
    node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.expr


Target: TypeAlias = External | Definition

FRAMEWORKS = {
    "tensorflow": "tensorflow",
    "jax": "jax",
    "jaxlib": "jax",
    "torch": "torch",
    "tensorflow_probability": "tensorflow",
    "tensorflow_addons": "tensorflow",
    "flax": "jax",
    "torchvision": "torch",
}
"""Import name of a framework's package -> the backend that it belongs to."""

TF_KERAS_NAME = re.compile(r"^(tensorflow\.keras|tensorflow\.python\.keras|tf_keras)(?=\.|$)")
_SOURCE = re.compile(r"^keras\.src\.(\w+)(?:\.\w+)*\.(\w+)$")


def keras_name(name: str) -> str:
    """The public Keras name of a dotted name: ``keras.layers.Dense``; empty where it is not Keras's.

    ``tf.keras.…`` and ``keras.src.…`` are given the name that Keras 3 has for them.
    """
    name = TF_KERAS_NAME.sub("keras", name)
    if not (name == "keras" or name.startswith("keras.")):
        return ""
    name = name.replace("keras.api.", "keras.")
    source = _SOURCE.match(name)
    if source:
        name = f"keras.{source[1]}.{source[2]}"
    elif name.startswith("keras.src."):
        name = "keras." + name.removeprefix("keras.src.")
    parts = name.split(".")
    if len(parts) == 2 and parts[1] in ("Layer", "Model", "Sequential"):
        return f"keras.{'layers' if parts[1] == 'Layer' else 'models'}.{parts[1]}"
    if name.startswith("keras.ops.numpy."):
        return "keras.ops." + parts[-1]
    return name


def framework_of(name: str) -> str:
    """The backend that a dotted name belongs to (``tensorflow``, ``jax``, ``torch``), or nothing."""
    return "" if keras_name(name) else FRAMEWORKS.get(name.partition(".")[0], "")


def is_numpy(name: str) -> bool:
    """Whether a dotted name is of NumPy, SciPy or scikit-learn, which work on arrays."""
    return name.partition(".")[0] in ("numpy", "scipy", "sklearn")


class Names:
    """Resolves names with what a project can read."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._resolved: dict[tuple[Module, str], list[Target]] = {}

    def targets(self, module: Module, name: str) -> list[Target]:
        """Everything that a dotted name in a module may stand for; empty where it is unknown."""
        key = (module, name)
        if key not in self._resolved:
            self._resolved[key] = []  # ends a cycle
            self._resolved[key] = self._targets(module, name, 0)
        return self._resolved[key]

    def external(self, module: Module, name: str) -> str:
        """The absolute dotted name outside of what is read; empty where there is none, or several."""
        found = {each.name for each in self.targets(module, name) if isinstance(each, External)}
        return found.pop() if len(found) == 1 else ""

    def _targets(self, module: Module, name: str, depth: int) -> list[Target]:
        head, _, rest = name.partition(".")
        if depth > DEEPEST or not head:
            return []
        found: list[Target] = []
        for binding in module.bindings.get(head, ()):
            found += self._follow(module, binding, rest, depth)
        if head not in module.bindings:
            if head in module.imports:
                found += self._follow(module, Imported(module.imports[head]), rest, depth)
            for star in module.stars:
                found += self._absolute(f"{star}.{name}", module, depth + 1)
        return list(dict.fromkeys(found))

    def _follow(self, module: Module, binding: Binding, rest: str, depth: int) -> list[Target]:
        if isinstance(binding, Imported):
            return self._absolute(_join(binding.dotted, rest), module, depth + 1)
        if isinstance(binding, ast.Name | ast.Attribute):
            alias = dotted(binding)
            if alias:
                return self._targets(module, _join(alias, rest), depth + 1)
        if rest:
            return self._member(module, binding, rest)
        return [Definition(module, binding)]

    def _member(self, module: Module, binding: Binding, rest: str) -> list[Target]:
        if isinstance(binding, ast.ClassDef):
            for node in binding.body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == rest:
                    return [Definition(module, node)]
        return []

    def _absolute(self, name: str, asking: Module, depth: int) -> list[Target]:
        if depth > DEEPEST:
            return []
        found = self.project.starting_with(name, asking)
        if found is None:
            return [External(name)]
        module, rest = found
        if not rest:
            return [External(name)]
        inner = self._targets(module, ".".join(rest), depth + 1)
        return inner or [External(name)]


def _join(name: str, rest: str) -> str:
    return f"{name}.{rest}" if rest else name
