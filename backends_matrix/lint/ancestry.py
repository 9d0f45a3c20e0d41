"""What kind of Keras object a class makes: found through base classes, mixins, aliases and re-exports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from backends_matrix.lint.modules import Module, dotted
from backends_matrix.lint.names import Definition, Names, Target, keras_name

KINDS = {
    "layers": "layer",
    "models": "model",
    "losses": "loss",
    "metrics": "metric",
    "optimizers": "optimizer",
    "callbacks": "callback",
    "initializers": "initializer",
    "regularizers": "regularizer",
    "constraints": "constraint",
    "quantizers": "quantizer",
}
"""Public module of Keras -> the kind of object that its classes make."""

TOP = {
    "Loss": "loss",
    "Metric": "metric",
    "Optimizer": "optimizer",
    "Initializer": "initializer",
    "Regularizer": "regularizer",
    "Operation": "operation",
    "Functional": "model",
}
DEEPEST = 12


def keras_kind(name: str) -> str:
    """The kind of object that an external class makes; empty where it is none of Keras's."""
    parts = keras_name(name).split(".")
    if len(parts) < 2 or not parts[-1][:1].isupper():
        return ""
    if len(parts) == 2:
        return TOP.get(parts[1], "")
    if parts[1] == "optimizers" and parts[2] == "schedules":
        return "schedule"
    if parts[1] == "utils" and parts[-1] in ("PyDataset", "Sequence"):
        return "dataset"
    return KINDS.get(parts[1], "")


@dataclass(eq=False)
class ClassInfo:
    """A class that was read.

    Args:
        module: where it stands.
        node: its definition.
        bases: base classes that were read.
        externals: dotted names of the others.
    """

    module: Module
    node: ast.ClassDef
    bases: list[ClassInfo] = field(default_factory=list)
    externals: list[str] = field(default_factory=list)
    unknown_bases: int = 0

    @property
    def name(self) -> str:
        """The class's name."""
        return self.node.name

    def kinds(self) -> frozenset[str]:
        """Kinds of Keras objects that the class makes, such as ``layer`` or ``loss``."""
        found = {keras_kind(name) for each in self.ancestors() for name in each.externals}
        return frozenset(found - {""})

    def ancestors(self, depth: int = 0) -> Iterator[ClassInfo]:
        """The class itself and what it inherits from, in order."""
        yield self
        for base in self.bases if depth < DEEPEST else ():
            yield from base.ancestors(depth + 1)

    def method(self, name: str) -> tuple[ClassInfo, ast.FunctionDef] | None:
        """A method and the class that defines it."""
        for each in self.ancestors():
            for node in each.node.body:
                if isinstance(node, ast.FunctionDef) and node.name == name:
                    return each, node
        return None

    def own(self, name: str) -> ast.FunctionDef | None:
        """A method that the class itself defines."""
        for node in self.node.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return node
        return None

    def knows_all_bases(self) -> bool:
        """Whether every base class was read, or is Keras's or Python's own."""
        known = {"object", "abc.ABC", "typing.Generic", "typing.Protocol"}
        return all(
            not each.unknown_bases
            and all(keras_kind(name) or name in known for name in each.externals)
            for each in self.ancestors()
        )


class Ancestry:
    """Finds the ancestors of classes."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._classes: dict[ast.ClassDef, ClassInfo] = {}

    def of(self, module: Module, node: ast.ClassDef) -> ClassInfo:
        """Describe a class of a module."""
        known = self._classes.get(node)
        if known is not None:
            return known
        info = self._classes[node] = ClassInfo(module, node)
        for base in node.bases:
            if isinstance(base, ast.Subscript):  # Generic[T]
                base = base.value
            if dotted(base) == "object":
                continue
            targets = self._targets(module, base)
            if not targets:
                info.unknown_bases += 1
            for target in targets:
                self._add(info, target)
        return info

    def _targets(self, module: Module, base: ast.expr) -> list[Target]:
        name = dotted(base)
        if name:
            return self.names.targets(module, name)
        if isinstance(base, ast.IfExp):
            return [*self._targets(module, base.body), *self._targets(module, base.orelse)]
        return []

    def _add(self, info: ClassInfo, target: Target) -> None:
        if not isinstance(target, Definition):
            info.externals.append(target.name)
        elif isinstance(target.node, ast.ClassDef):
            base = self.of(target.module, target.node)
            if base is not info:
                info.bases.append(base)
        elif isinstance(target.node, ast.IfExp):
            for each in self._targets(target.module, target.node):
                self._add(info, each)
        else:
            info.unknown_bases += 1
