"""PK6: what does not come back when a model is loaded."""

from __future__ import annotations

import ast
import re

from backends_matrix.lint.ancestry import ClassInfo, keras_kind
from backends_matrix.lint.configs import base_configs, objects, signature_of
from backends_matrix.lint.events import Call, ClassRead
from backends_matrix.lint.modules import Module, dotted
from backends_matrix.lint.names import keras_name
from backends_matrix.lint.rule import Report, Rule, define, on
from backends_matrix.lint.values import Kind

LAMBDA = define(
    Rule(
        "PK601",
        "lambda-layer",
        "saving",
        "A Lambda layer holds a Python lambda or a function that is not registered.",
        "The function is stored as bytecode, which load_model refuses, or by a name that it does not find.",
        "Write a small layer class, or use the layer of keras.ops directly on the tensor.",
        "ValueError: Requested the deserialization of a Lambda layer whose function is a Python lambda",
    )
)
UNREGISTERED = define(
    Rule(
        "PK602",
        "not-registered",
        "saving",
        "A class that defines get_config is not registered with Keras.",
        "A model that holds it can be saved, but load_model does not find the class in another process.",
        "Decorate it with @keras.saving.register_keras_serializable(package=...).",
        "TypeError: Could not locate class '…'. Make sure custom classes and functions are decorated",
    )
)
NO_CONFIG = define(
    Rule(
        "PK603",
        "no-get-config",
        "saving",
        "A class takes arguments that Keras cannot save by itself, and has no get_config.",
        "Layers and models with arguments other than numbers, strings and lists of these cannot be "
        "saved; the "
        "arguments of losses, metrics and others are lost.",
        "Write get_config, with keras.saving.serialize_keras_object for objects, and from_config to match.",
        "NotImplementedError: Object … was created by passing non-serializable argument values in __init__()",
    )
)
FUNCTION = define(
    Rule(
        "PK609",
        "local-function",
        "saving",
        "A layer is given a lambda or a local or unregistered function, as activation or the like.",
        "It can be saved, but not loaded.",
        "Define the function at the top of a module and decorate it with "
        "@keras.saving.register_keras_serializable().",
        "TypeError: Could not locate function '…'",
    )
)

_REGISTERED = re.compile(r"regist|serializ|export", re.IGNORECASE)
_KINDS = {
    "layer",
    "model",
    "loss",
    "metric",
    "initializer",
    "regularizer",
    "constraint",
    "schedule",
}
_PLAIN = {
    "keras.losses.Loss",
    "keras.metrics.Metric",
    "keras.initializers.Initializer",
    "keras.Loss",
}
_PLAIN |= {"keras.regularizers.Regularizer", "keras.constraints.Constraint", "keras.Initializer"}
_PLAIN |= {"keras.optimizers.schedules.LearningRateSchedule", "keras.Metric", "keras.Regularizer"}
_OWN_LOADING = {"keras", "keras_hub", "keras_cv", "keras_nlp"}
"""Packages whose classes load_model imports by name."""

_TEST = re.compile(r"(^|[._])(test|tests|testing|conftest)([._]|$)")
_FUNCTIONS = {"activation", "recurrent_activation", "kernel_initializer", "bias_initializer"}
_FUNCTIONS |= {
    "kernel_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "embeddings_initializer",
}


def is_registered(info: ClassInfo) -> bool:
    """Whether a decorator, a call in the module or ``custom_objects`` makes a class known to Keras."""
    for decorator in info.node.decorator_list:
        named = decorator.func if isinstance(decorator, ast.Call) else decorator
        if _REGISTERED.search(ast.unparse(named)):
            return True
    for node in info.module.nodes:
        if isinstance(node, ast.Call) and _REGISTERED.search(ast.unparse(node.func)):
            for each in node.args:
                if isinstance(each, ast.Name) and each.id == info.name:
                    return True
    text = info.module.text
    return "custom_objects" in text or "CustomObjectScope" in text or "custom_object_scope" in text


def is_test(module: Module) -> bool:
    """Whether a module holds tests; their classes are not saved for others."""
    return bool(_TEST.search(module.name)) or "pytest" in module.imports


def is_abstract(info: ClassInfo) -> bool:
    """Whether a class is meant to be derived from only, by its name, its decorators or its users."""
    if re.search(r"^_|Base|Abstract|Mixin|Interface", info.name):
        return True
    if re.search(r"(^|[._])base(_|$)", info.module.name):
        return True
    if any("abstractmethod" in ast.unparse(each) for each in _decorators(info.node)):
        return True
    return any(
        isinstance(node, ast.ClassDef) and info.name in {dotted(base) for base in node.bases}
        for node in info.module.nodes
    )


def _decorators(node: ast.ClassDef) -> list[ast.expr]:
    return [
        each
        for method in node.body
        if isinstance(method, ast.FunctionDef)
        for each in method.decorator_list
    ]


@on(ClassRead)
def check_class(event: ClassRead, report: Report) -> None:
    """Registration and presence of get_config."""
    info, kinds, frame = event.info, event.kinds, event.frame
    if not kinds & _KINDS or is_test(info.module) or is_abstract(info) or frame.gates:
        return
    own = info.own("get_config")
    imported = info.module.name.partition(".")[0] in _OWN_LOADING
    if own is not None and not imported and not is_registered(info):
        message = f"{info.name} has get_config, and load_model does not know the class"
        report(UNREGISTERED, frame, _header(info), message)
    if own is None and next(base_configs(info), None) is None:
        _check_presence(event, report)


def _header(info: ClassInfo) -> ast.AST:
    """The line of the class statement, without its body."""
    node = info.node
    length = len("class ") + len(node.name)
    return ast.Pass(
        lineno=node.lineno,
        col_offset=node.col_offset,
        end_lineno=node.lineno,
        end_col_offset=node.col_offset + length,
    )


def _check_presence(event: ClassRead, report: Report) -> None:
    info, kinds = event.info, event.kinds
    signature = signature_of(info)
    if signature is None or not info.knows_all_bases() or signature.owner is not info:
        return
    if "model" in kinds:
        return  # often a program for training, of which the weights are saved
    if "layer" in kinds:
        held = objects(signature, info)
        for name in held:
            report(
                NO_CONFIG,
                event.frame,
                _header(info),
                f"{info.name} keeps the object {name!r}, which Keras cannot save by itself",
            )
            return
        return
    bases = {name for each in info.ancestors() for name in each.externals}
    public = {keras_name(name) for name in bases}
    if signature.own and public & _PLAIN and not public - _PLAIN - {"", "keras"}:
        names = ", ".join(signature.own)
        report(
            NO_CONFIG,
            event.frame,
            _header(info),
            f"{info.name} takes {names}, and has no get_config",
        )


@on(Call)
def check_functions(event: Call, report: Report) -> None:
    """Lambda layers, and functions that layers are given."""
    frame = event.frame
    if keras_kind(event.name) not in ("layer", "model") or frame.gates or is_test(frame.module):
        return
    if frame.own_class is not None or frame.host is not None:
        return  # a class makes its inner layers anew from its own config
    if not _makes_model(event) or _has_own_model(event):
        return  # what only makes layers may serve a class that does
    if event.name == "keras.layers.Lambda":
        value = event.argument(0, "function")
        reason = _unsavable(event, value.closure.node if value and value.closure else None)
        if reason:
            report(LAMBDA, frame, event.node, f"a Lambda layer holds {reason}")
        return
    for keyword in event.node.keywords:
        value = event.keywords.get(keyword.arg or "")
        if keyword.arg in _FUNCTIONS and value is not None and value.kind is Kind.FUNCTION:
            reason = _unsavable(event, value.closure.node if value.closure else None)
            if reason and value.closure is not None and value.closure.own_class is None:
                report(FUNCTION, frame, keyword.value, f"{keyword.arg} is {reason}")


def _has_own_model(event: Call) -> bool:
    """Whether the module holds a model class with get_config, which makes its inner models anew."""
    ancestry, module = event.reader.ancestry, event.frame.module
    return any(
        isinstance(node, ast.ClassDef)
        and any(
            isinstance(each, ast.FunctionDef) and each.name == "get_config" for each in node.body
        )
        and "model" in ancestry.of(module, node).kinds()
        for node in module.tree.body
    )


def _makes_model(event: Call) -> bool:
    """Whether the function with which the reading began makes a model of what it has."""
    frame = event.frame.entry or event.frame
    names = event.reader.names
    for node in ast.walk(frame.node) if frame.node is not None else ():
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name and keras_kind(names.external(frame.module, name)) == "model":
                return True
    return False


def _unsavable(event: Call, node: ast.AST | None) -> str:
    if isinstance(node, ast.Lambda):
        return "a lambda"
    if not isinstance(node, ast.FunctionDef):
        return ""
    if any(_REGISTERED.search(ast.unparse(each)) for each in node.decorator_list):
        return ""
    module = event.frame.module
    if "custom_objects" in module.text or "register_keras_serializable()(" in module.text:
        return ""
    local = node not in module.tree.body
    return f"the {'local ' if local else ''}function {node.name}, which is not registered"
