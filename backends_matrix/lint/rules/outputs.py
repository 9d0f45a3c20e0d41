"""PK105, second part: outputs of models outside of compiled code, made arrays by a framework's method."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from backends_matrix.lint.ancestry import keras_kind
from backends_matrix.lint.entries import LAYER, ROLES
from backends_matrix.lint.events import ModuleRead
from backends_matrix.lint.modules import Module, dotted
from backends_matrix.lint.names import keras_name
from backends_matrix.lint.rule import Report, on
from backends_matrix.lint.rules.tensor_methods import METHOD

_METHODS = {"numpy", "detach", "cpu"}
_LOADING = ("keras.models.load_model", "keras.saving.load_model", "keras.Sequential", "keras.Model")
_COMPILED = {*LAYER, *(name for roles in ROLES.values() for name in roles)} - {"__init__"}
_WORDS = ("backend", "torch", "tensorflow", "executing_eagerly", "hasattr", "is_tensor")
"""Words by which a function asks, in a condition, what it runs on."""


@on(ModuleRead)
def check_results(event: ModuleRead, report: Report) -> None:
    """Methods of results, in scripts, callbacks and functions that Keras does not compile."""
    module = event.module
    if event.frame.gates or not any(map(keras_name, module.imports.values())):
        return
    if (
        'KERAS_BACKEND"] = "tensorflow"' in module.text
        or 'KERAS_BACKEND"] = "torch"' in module.text
    ):
        return  # the program says which backend it is for
    top = _models(module, module.tree.body)
    for body in _bodies(module):
        if any(_asks(node) for node in _own_nodes(body)):
            continue
        models = top | _models(module, body)
        results = {
            target.id
            for node in _own_nodes(body)
            if isinstance(node, ast.Assign) and _is_result(module, node.value, models)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in _own_nodes(body):
            match node:
                case ast.Call(func=ast.Attribute(value=owner, attr=name), args=[]) if (
                    name in _METHODS
                ):
                    named = isinstance(owner, ast.Name) and owner.id in results
                    if named or _is_result(module, owner, models):
                        report(
                            METHOD,
                            event.frame,
                            node,
                            f".{name}() is not a method of every backend's tensors",
                            hint="Use keras.ops.convert_to_numpy.",
                        )


def _bodies(module: Module) -> Iterator[Sequence[ast.stmt]]:
    """The body of the module, and of each function that Keras does not compile."""
    yield module.tree.body
    for node in module.nodes:
        if (
            isinstance(node, ast.FunctionDef)
            and node.name not in _COMPILED
            and [each.arg for each in node.args.args[:2]] != ["y_true", "y_pred"]
        ):
            yield node.body


def _own_nodes(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes of a body without those of inner functions and classes."""
    for node in body:
        yield from _walk(node)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
        return
    yield node
    for each in ast.iter_child_nodes(node):
        yield from _walk(each)


def _models(module: Module, body: Sequence[ast.stmt]) -> set[str]:
    """Names that are given a model or layer of Keras in a body."""
    return {
        target.id
        for node in _own_nodes(body)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        for target in node.targets
        if isinstance(target, ast.Name)
        and (
            _public(module, node.value).startswith(_LOADING)
            or keras_kind(_public(module, node.value)) in ("layer", "model")
        )
        and not _public(module, node.value).endswith((".Input", ".InputLayer"))
    }


def _is_result(module: Module, node: ast.expr, models: set[str]) -> bool:
    """Whether an expression calls an operation of Keras, or a model that it made or trains."""
    if not isinstance(node, ast.Call):
        return False
    name = dotted(node.func)
    return name in models or name == "self.model" or _public(module, node).startswith("keras.ops.")


def _public(module: Module, node: ast.Call) -> str:
    name = dotted(node.func)
    head = name.partition(".")[0]
    return keras_name(name.replace(head, module.imports[head], 1)) if head in module.imports else ""


def _asks(node: ast.AST) -> bool:
    test = node.test if isinstance(node, ast.If | ast.IfExp) else None
    return test is not None and any(word in ast.unparse(test) for word in _WORDS)
