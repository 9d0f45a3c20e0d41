"""Conditions on the backend: code right under one is left alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence

from backends_matrix.lint.frame import ANY
from backends_matrix.lint.modules import Module, dotted
from backends_matrix.lint.names import Names, framework_of, keras_name

BACKENDS = frozenset({"tensorflow", "jax", "torch", "numpy", "openvino"})
_WORDS = {
    "tensorflow": "tensorflow",
    "tf": "tensorflow",
    "jax": "jax",
    "torch": "torch",
    "pytorch": "torch",
}
_QUESTIONS = {
    "is_tensor",
    "executing_eagerly",
    "inside_function",
    "is_symbolic_tensor",
    "is_available",
}
_TRACING = {"tracing", "traced", "tracer", "symbolic"}
_EAGER = {"eager", "eagerly", "concrete"}
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_BACKEND = re.compile(r"backend", re.IGNORECASE)
_TYPE_TESTS = {"isinstance", "hasattr", "issubclass", "type"}


def named_backends(name: str) -> frozenset[str]:
    """The backends that an identifier names as words: ``_torch_step`` names torch."""
    return frozenset(
        _WORDS[word] for word in map(str.lower, _CAMEL.findall(name)) if word in _WORDS
    )


def has_counterpart(name: str, others: Collection[str]) -> bool:
    """Whether others hold the same name for another backend: ``step_jax`` beside ``step_torch``."""
    pattern = _CAMEL.sub(lambda word: "*" if word[0].lower() in _WORDS else word[0].lower(), name)
    return "*" in pattern and any(
        other != name
        and named_backends(other) != named_backends(name)
        and _CAMEL.sub(lambda word: "*" if word[0].lower() in _WORDS else word[0].lower(), other)
        == pattern
        for other in others
    )


def definition_gates(name: str, body: Sequence[ast.stmt]) -> frozenset[str]:
    """The backends that a function or class is for, by its name and its counterparts beside it."""
    if not named_backends(name):
        return frozenset()
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    others = [node.name for node in body if isinstance(node, definitions)]
    return named_backends(name) if has_counterpart(name, others) else frozenset()


def module_gates(module: Module) -> frozenset[str]:
    """The backends that a file of a package is for, by its name and its counterparts beside it."""
    for path in (module.path, module.path.parent):
        if named_backends(path.stem) and (path.parent / "__init__.py").is_file():
            others = [each.stem for each in path.parent.iterdir()]
            if has_counterpart(path.stem, others):
                return named_backends(path.stem)
    return frozenset()


class Gates:
    """Reads conditions."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def of_test(self, module: Module, test: ast.expr) -> tuple[frozenset[str], frozenset[str]]:
        """The gates of the two branches of a condition: where it holds, and where it does not."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            holds, fails = self.of_test(module, test.operand)
            return fails, holds
        asked = self._asked(module, test)
        if asked is None:
            return _tracing_gates(test)
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            match test.ops[0]:
                case ast.Eq() | ast.In() if asked:
                    return asked, frozenset({ANY})
                case ast.NotEq() | ast.NotIn() if asked:
                    return frozenset({ANY}), asked
        return frozenset({ANY}), frozenset({ANY})

    def of_match(self, module: Module, node: ast.Match) -> bool:
        """Whether a ``match`` is on the backend."""
        return self._asks(module, node.subject)

    def _asked(self, module: Module, test: ast.expr) -> frozenset[str] | None:
        """The backends that a condition names; None where it does not ask for the backend."""
        named: set[str] = set()
        # `if use_torch:` asks by a name that was given to the answer.
        parts = test.values if isinstance(test, ast.BoolOp) else [test]
        found = any(
            isinstance(each, ast.Name | ast.Attribute)
            and named_backends(dotted(each).rpartition(".")[2])
            for each in parts
        )
        for node in ast.walk(test):
            if isinstance(node, ast.Compare) and any(
                self._asks(module, each) for each in (node.left, *node.comparators)
            ):
                found = True
            elif isinstance(node, ast.Constant) and node.value in BACKENDS:
                named.add(node.value)
            elif self._asks_framework(module, node):
                found = True
        return frozenset(named) if found else None

    def _asks(self, module: Module, node: ast.expr) -> bool:
        if isinstance(node, ast.Call):
            name = self.names.external(module, dotted(node.func)) or dotted(node.func)
            public = keras_name(name)
            return public in ("keras.backend.backend", "keras.config.backend") or bool(
                _BACKEND.search(name.rpartition(".")[2])
            )
        if isinstance(node, ast.Subscript):  # os.environ["KERAS_BACKEND"]
            return isinstance(node.slice, ast.Constant) and node.slice.value == "KERAS_BACKEND"
        return isinstance(node, ast.Name | ast.Attribute) and bool(
            _BACKEND.search(dotted(node).rpartition(".")[2])
        )

    def _asks_framework(self, module: Module, node: ast.AST) -> bool:
        """Whether a part of a condition asks what a framework made: a type, or whether it is there."""
        match node:
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, types]):
                return any(self._of_framework(module, each) for each in ast.walk(types))
            case ast.Call(func=func):
                last = dotted(func).rpartition(".")[2]
                return bool(named_backends(last)) or (
                    last in _QUESTIONS and self._of_framework(module, func)
                )
            case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot()]):
                return self._of_framework(module, left)
        return False

    def _of_framework(self, module: Module, node: ast.AST) -> bool:
        if not isinstance(node, ast.Name | ast.Attribute):
            return False
        name = dotted(node)
        return name in _WORDS or bool(framework_of(self.names.external(module, name)))


def _tracing_gates(test: ast.expr) -> tuple[frozenset[str], frozenset[str]]:
    """The gates of the branches of ``if is_tracing(x):``: code that runs eagerly only is left alone."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        holds, fails = _tracing_gates(test.operand)
        return fails, holds
    if isinstance(test, ast.BoolOp):
        pairs = [_tracing_gates(each) for each in test.values]
        if isinstance(test.op, ast.And):
            return frozenset().union(*(pair[0] for pair in pairs)), frozenset()
        return frozenset(), frozenset().union(*(pair[1] for pair in pairs))
    asked = test.func if isinstance(test, ast.Call) else test
    words = {*map(str.lower, _CAMEL.findall(dotted(asked).rpartition(".")[2]))}
    if words & _TRACING:
        return frozenset(), frozenset({ANY})
    return (frozenset({ANY}), frozenset()) if words & _EAGER else (frozenset(), frozenset())


def tested_types(test: ast.expr) -> tuple[set[str], set[str]]:
    """Names whose type a condition tests: those known in its first branch, and those in its second."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        holds, fails = tested_types(test.operand)
        return fails, holds
    if isinstance(test, ast.BoolOp):
        pairs = [tested_types(each) for each in test.values]
        holds = set().union(*(pair[0] for pair in pairs))
        fails = set().union(*(pair[1] for pair in pairs))
        return holds, fails
    match test:
        case ast.Call(func=ast.Name(id=called), args=[ast.Name(id=name), *_]) if (
            called in _TYPE_TESTS or called == "callable"
        ):
            return {name}, set()
        case ast.Call(func=func, args=[ast.Name(id=name), *_]) if dotted(func).endswith(
            "is_tensor"
        ):
            return set(), {name}
        case ast.Compare(left=ast.Call(func=ast.Name(id="type"), args=[ast.Name(id=name)])):
            return {name}, set()
        case ast.Compare(
            left=ast.Name(id=name), ops=[ast.Is()], comparators=[ast.Constant(value=None)]
        ):
            return {name}, set()
        case ast.Compare(
            left=ast.Name(id=name), ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]
        ):
            return set(), {name}
    return set(), set()
