"""Fixes that call a function of ``keras.ops`` in place of another."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace as replace_fields

from backends_matrix.lint.equivalents import JAX, MATH, NUMPY, TENSORFLOW, TORCH
from backends_matrix.lint.finding import Edit, Fix
from backends_matrix.lint.modules import Module, dotted
from backends_matrix.lint.rule import ops_alias, replace
from backends_matrix.lint.values import Kind, Value

_TABLES = {
    "numpy": NUMPY,
    "math": MATH,
    "tensorflow": TENSORFLOW,
    "torch": TORCH,
    "jax": JAX,
}
_KEYWORDS = {"axis", "keepdims"}
_DEFAULTS = {
    "tensorflow.nn.gelu": "approximate=False",
    "torch.nn.functional.gelu": "approximate=False",
}
"""Functions whose default is another one than that of their counterpart -> the argument to write."""
_DTYPE = re.compile(r"(u?int|float|bfloat)\d+|bool")


def keras_call(module: Module, node: ast.Call, name: str, args: Sequence[Value] = ()) -> Fix | None:
    """Call the counterpart in ``keras.ops`` instead; None where the arguments may mean something else.

    Args:
        module: the file.
        node: the call.
        name: absolute name of the function that is called.
        args: what is known of the positional arguments.
    """
    package, _, rest = name.partition(".")
    counterpart = _TABLES.get(package, {}).get(rest)
    if counterpart is None or any(isinstance(each, ast.Starred) for each in node.args):
        return None
    if not {each.arg for each in node.keywords} <= _KEYWORDS:
        return None
    if package == "torch" and node.keywords:
        return None
    # With the condition alone, where gives places, each package in another form.
    if counterpart == "where" and len(node.args) != 3:
        return None
    # An open bound is None to NumPy alone.
    if counterpart == "clip" and any(_is_none(each) for each in node.args):
        return None
    if counterpart in ("stack", "concatenate") and not are_tensors(node, args):
        return None
    # A list of numbers is an array to NumPy alone; a third positional argument differs between packages.
    if len(node.args) > (3 if counterpart in ("where", "clip") else 2):
        return None
    missing = _DEFAULTS.get(name, "") if len(node.args) == 1 else ""
    fix = call_instead(module, node, counterpart, missing=missing)
    if counterpart == "cast" and len(node.args) == 2:
        fix = replace_fields(fix, edits=(*fix.edits, *_dtype_by_name(module, node.args[1])))
    return fix


def call_instead(
    module: Module, node: ast.Call, counterpart: str, *, missing: str = "", safe: bool = True
) -> Fix:
    """Call a function of ``keras.ops`` with the arguments that stand there.

    Args:
        module: the file.
        node: the call.
        counterpart: name of the function in ``keras.ops``.
        missing: an argument to add, because the default of the counterpart is another one.
        safe: whether the counterpart gives the same; for ``shape``, which gives a tuple and not a tensor,
            it is so only where one size is taken from the result.
    """
    alias, imports = ops_alias(module)
    edits = [replace(module, node.func, f"{alias}.{counterpart}")]
    if missing:
        edits.append(_after(module, node.args[-1], f", {missing}"))
    safe = safe and (counterpart != "shape" or _takes_one_size(module, node))
    return Fix(f"call {alias}.{counterpart}", safe, tuple(edits), imports)


def are_tensors(node: ast.Call, args: Sequence[Value] = ()) -> bool:
    """Whether the first argument is no list of sizes or numbers, which keras.ops does not put together."""
    if args and args[0].kind is Kind.ITEMS:
        return all(each.is_tainted or each.kind is Kind.VARIABLE for each in args[0].items)
    match node.args:
        case [ast.List(elts=items) | ast.Tuple(elts=items), *_]:
            return not any(isinstance(each, ast.List | ast.Tuple | ast.Constant) for each in items)
    return True


def _after(module: Module, node: ast.expr, text: str) -> Edit:
    whole = replace(module, node, text)
    return replace_fields(whole, start_line=whole.end_line, start_column=whole.end_column)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _takes_one_size(module: Module, node: ast.Call) -> bool:
    """Whether the call is followed by an index that is a number."""
    for each in module.nodes:
        if isinstance(each, ast.Subscript) and each.value is node:
            index = each.slice.operand if isinstance(each.slice, ast.UnaryOp) else each.slice
            return isinstance(index, ast.Constant) and isinstance(index.value, int)
    return False


def _dtype_by_name(module: Module, node: ast.expr) -> list[Edit]:
    """``tf.float32`` -> ``"float32"``, which needs no TensorFlow."""
    head, _, last = dotted(node).partition(".")
    if module.imports.get(head) == "tensorflow" and _DTYPE.fullmatch(last):
        return [replace(module, node, f'"{last}"')]
    return []
