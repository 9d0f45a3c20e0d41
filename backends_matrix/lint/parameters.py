"""What the parameters of an entry point hold: tensors, structures of them, shapes, or settings."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from backends_matrix.lint.ancestry import ClassInfo
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.modules import Function, dotted
from backends_matrix.lint.names import keras_name
from backends_matrix.lint.values import Kind, Value

if TYPE_CHECKING:
    from backends_matrix.lint.reader import Reader

_SETTING = re.compile(
    r"(^|_)(training|name|axis|mode|dtype|index|idx|sizes?|num|n|stage|seed|config|kwargs|epoch|fn|rng)(_|$)"
    r"|^(return|use|is|has|should|with|compute|output)_|(^|_)(shape|shapes|length|len|dim|dims|rank|step)$"
    r"|^(h|w|d|b|c|t|k|height|width|depth|channels|batch)$",
    re.IGNORECASE,
)
_PLAIN_TYPES = {"bool", "int", "str", "float", "Callable", "dict[str, Any]", "type"}
_STRUCTURED = (".stack", ".concatenate", ".convert_to_tensor")
"""Operations that take a list of tensors, too."""

_TENSORS = {
    "loss": {"y_true", "y_pred", "y", "x"},
    "metric": {"y_true", "y_pred", "y", "x", "values"},
}


def bind_parameters(
    reader: Reader, frame: Frame, node: ast.FunctionDef, info: ClassInfo | None
) -> None:
    """Bind the parameters of an entry point."""
    parameters = [*node.args.posonlyargs, *node.args.args]
    static = any(dotted(each) in ("staticmethod", "classmethod") for each in node.decorator_list)
    if info is not None and parameters and not static:
        frame.names[parameters.pop(0).arg] = Value(Kind.SELF, info=info)
    count = len(node.args.defaults)
    defaults: list[ast.expr | None] = [None] * (len(parameters) - count)
    defaults += node.args.defaults[max(0, count - len(parameters)) :]
    for parameter, default in [
        *zip(parameters, defaults, strict=False),
        *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
    ]:
        frame.names[parameter.arg] = _value(reader, frame, node, parameter, default)
    for each in (node.args.vararg, node.args.kwarg):
        if each is not None:
            frame.names[each.arg] = Value(Kind.MAYBE if frame.is_traced else Kind.OTHER)


def _value(
    reader: Reader,
    frame: Frame,
    node: ast.FunctionDef,
    parameter: ast.arg,
    default: ast.expr | None,
) -> Value:
    name, role = parameter.arg, frame.role
    if role in ("build", "shape") or name.endswith(("_shape", "_shapes")):
        return Value(Kind.SHAPE if "shape" in name else Kind.OTHER, batch=True)
    if not frame.is_traced:
        return Value(Kind.OTHER)
    if role in ("schedule", "regularizer", "constraint", "lambda") or (
        role == "loss" and frame.own_class is None and default is None
    ):
        return Value(Kind.TENSOR, parameter=name)
    if role == "optimizer":
        return Value(Kind.VARIABLE if name.startswith("var") else Kind.TENSOR, parameter=name)
    if _is_setting(parameter, default):
        return Value(Kind.MAYBE if default is None else Kind.OTHER)
    if role in _TENSORS and name in _TENSORS[role] and not _is_structure(node, name):
        return Value(Kind.TENSOR, batch=True, parameter=name)
    optional = default is not None
    if _is_operand(reader, frame, node, name) and not _is_structure(node, name):
        return Value(Kind.TENSOR, batch=not optional, parameter=name)
    if optional:
        return Value(Kind.MAYBE)
    return Value(Kind.NESTED, batch=role == "call", parameter=name)


def _is_setting(parameter: ast.arg, default: ast.expr | None) -> bool:
    if isinstance(default, ast.Constant) and default.value is not None:
        return True
    if parameter.annotation is not None:
        text = ast.unparse(parameter.annotation).removesuffix(" | None")
        if text.rpartition(".")[2] in _PLAIN_TYPES or text.startswith(("Callable", "Sequence[int")):
            return True
    return bool(_SETTING.search(parameter.arg))


def _is_operand(reader: Reader, frame: Frame, node: ast.FunctionDef, name: str) -> bool:
    """Whether the function uses a parameter as one tensor: in an operation, by its shape, or sliced."""
    for each in ast.walk(node):
        match each:
            case ast.Attribute(value=ast.Name(id=used), attr="shape" | "dtype") if used == name:
                return True
            case ast.Subscript(value=ast.Name(id=used), slice=ast.Tuple()) if used == name:
                return True
            case ast.Call(func=func, args=[ast.Name(id=used), *_]) if used == name:
                called = keras_name(reader.names.external(frame.module, dotted(func)))
                if called.startswith(("keras.ops.", "keras.activations.")) and not called.endswith(
                    _STRUCTURED
                ):
                    return True
    return False


def asks_type(node: Function, name: str) -> bool:
    """Whether a function asks for the type or the attributes of a parameter."""
    return any(
        isinstance(each, ast.Call)
        and isinstance(each.func, ast.Name)
        and each.func.id in ("isinstance", "hasattr", "type", "callable")
        and bool(each.args)
        and isinstance(each.args[0], ast.Name)
        and each.args[0].id == name
        for each in ast.walk(node)
    )


def _is_given_to_operations(node: ast.FunctionDef, name: str) -> bool:
    """Whether a parameter goes as it came into an operation that takes one tensor."""
    rebound = any(
        isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Store)
        for each in ast.walk(node)
    )
    return not rebound and any(
        isinstance(each, ast.Call)
        and dotted(each.func).partition(".")[0] == "ops"
        and bool(each.args)
        and isinstance(each.args[0], ast.Name)
        and each.args[0].id == name
        and not dotted(each.func).endswith((*_STRUCTURED, ".convert_to_numpy"))
        for each in ast.walk(node)
    )


def _is_structure(node: ast.FunctionDef, name: str) -> bool:
    """Whether the function takes a parameter apart, or asks for its type."""
    for each in ast.walk(node):
        match each:
            case ast.Call(
                func=ast.Name(id="isinstance" | "hasattr" | "type"), args=[ast.Name(id=used), *_]
            ) if used == name:
                return True
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=used)]) if used == name:
                if not _is_given_to_operations(node, name):
                    return True
            case ast.Assign(targets=[ast.Tuple() | ast.List()], value=ast.Name(id=used)):
                if used == name:
                    return True
            case ast.Subscript(value=ast.Name(id=used), slice=ast.Constant(value=str())):
                if used == name:
                    return True
    return False
