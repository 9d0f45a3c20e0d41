"""Mistakes in how classes are made known to Keras: registration, configuration, types of numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from backends_matrix.check.diagnosis.code import Code
from backends_matrix.check.diagnosis.suspicion import Suspicion

_BASES = (
    "Layer", "Model", "Loss", "Metric", "Regularizer", "Constraint", "Initializer", "LearningRateSchedule",
    "Wrapper", "Cell", "Optimizer",
)  # fmt: skip
_GIVEN = {"self", "name", "dtype", "trainable", "kwargs", "args", "activity_regularizer"}


def class_rules(code: Code) -> Iterator[Suspicion]:
    """All suspicions about classes, lambdas and number types in a file."""
    classes = {node.name: node for node in ast.walk(code.tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(code.tree):
        if isinstance(node, ast.ClassDef) and _is_keras(node, classes):
            yield from _of_class(node, code)
        elif isinstance(node, ast.Call) and code.dotted(node.func).endswith("Lambda"):
            yield _suspicion(
                "lambda",
                node,
                code,
                "a Lambda layer holds Python bytecode: no file with it can be loaded safely, or by "
                "another Python",
                "write a registered keras.layers.Layer subclass, or use the operations of keras.ops directly",
            )
        elif isinstance(node, ast.Constant) and node.value in ("float64", "int64"):
            yield _suspicion(
                "wide-type",
                node,
                code,
                f"{node.value!r} is asked for, which JAX turns into {str(node.value).replace('64', '32')}",
                "use float32 and int32, which are the same everywhere",
            )
        elif isinstance(node, ast.Attribute) and node.attr in ("float64", "int64"):
            yield _suspicion(
                "wide-type",
                node,
                code,
                f"{ast.unparse(node)} is asked for, which JAX turns into 32 bits",
                "use float32 and int32, which are the same everywhere",
            )
        elif isinstance(node, ast.Compare) and "backend()" in ast.unparse(node):
            yield _suspicion(
                "backend-branch",
                node,
                code,
                "the code does something else on one backend",
                "use one way on every backend: keras.ops",
            )
    registered = _registered(code)
    for node in code.tree.body:
        if (
            isinstance(node, ast.FunctionDef)
            and node.name not in registered
            and _is_used_as_object(node.name, code)
        ):
            yield _suspicion(
                "unregistered",
                node,
                code,
                f"the function {node.name} is part of the model but not registered, so a file with "
                f"it cannot be loaded elsewhere",
                f"decorate it: @keras.saving.register_keras_serializable(package=...) above def {node.name}",
            )


def _is_keras(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    for base in node.bases:
        name = ast.unparse(base).rpartition(".")[2]
        if name in classes and classes[name] is not node and _is_keras(classes[name], classes):
            return True
        if name.endswith(_BASES) or ast.unparse(base).startswith(("keras.layers.", "layers.")):
            return True
    return False


def _of_class(node: ast.ClassDef, code: Code) -> Iterator[Suspicion]:
    decorated = any(
        "register_keras_serializable" in ast.unparse(each) for each in node.decorator_list
    )
    if not decorated and node.name not in _registered(code):
        yield _suspicion(
            "unregistered",
            node,
            code,
            f"{node.name} is not registered, so a file with it cannot be loaded in another process",
            f"decorate it: @keras.saving.register_keras_serializable(package=...) above class {node.name}",
        )
    methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
    init = methods.get("__init__")
    if init is None:
        return
    arguments = [each.arg for each in [*init.args.args, *init.args.kwonlyargs]]
    own = [name for name in arguments if name not in _GIVEN]
    config = methods.get("get_config")
    if own and config is None:
        yield _suspicion(
            "config",
            init,
            code,
            f"{node.name}.__init__ takes {', '.join(own)}, and there is no get_config that keeps them",
            "add get_config that returns {**super().get_config(), "
            + ", ".join(f'"{name}": self.{name}' for name in own)
            + "}",
        )
    elif config is not None:
        text = ast.unparse(config)
        missing = [name for name in own if f"'{name}'" not in text and f"{name}=" not in text]
        if missing:
            yield _suspicion(
                "config",
                config,
                code,
                f"{node.name}.get_config leaves out {', '.join(missing)}: a reloaded layer gets the "
                f"default instead",
                "add "
                + ", ".join(f'"{name}": self.{name}' for name in missing)
                + " to the configuration",
            )


def _registered(code: Code) -> set[str]:
    """Names that are registered by a call or a decorator, or handed over as custom objects."""
    found: set[str] = set()
    for node in ast.walk(code.tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            if any(
                "register_keras_serializable" in ast.unparse(each) for each in node.decorator_list
            ):
                found.add(node.name)
        elif isinstance(node, ast.Call) and "register" in ast.unparse(node.func):
            found |= {each.id for each in node.args if isinstance(each, ast.Name)}
    return found


def _is_used_as_object(name: str, code: Code) -> bool:
    """Whether a function is handed to Keras: ``activation=f``, ``loss=f``, ``Lambda(f)``."""
    for node in ast.walk(code.tree):
        handed: list[ast.expr] = []
        if isinstance(node, ast.keyword) and node.arg is not None:
            handed = [node.value]
        elif isinstance(node, ast.Call):
            takes = code.dotted(node.func).endswith(("Activation", "Lambda"))
            handed = node.args if takes else []
        if any(isinstance(each, ast.Name) and each.id == name for each in handed):
            return True
    return False


def _suspicion(rule: str, node: ast.AST, code: Code, reason: str, hint: str) -> Suspicion:
    line = getattr(node, "lineno", 1)
    return Suspicion(
        rule, code.file, line, getattr(node, "end_lineno", None) or line, "", reason, hint
    )
