"""Functions of frameworks and NumPy whose counterpart in ``keras.ops`` takes the same arguments."""

from __future__ import annotations

import ast
import re
from dataclasses import replace as replace_fields

from backends_matrix.lint.finding import Edit, Fix
from backends_matrix.lint.modules import Module, dotted
from backends_matrix.lint.rule import ops_alias, replace

_SAME = [
    "abs",
    "absolute",
    "add",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "ceil",
    "cos",
    "cosh",
    "divide",
    "equal",
    "exp",
    "expm1",
    "floor",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "log",
    "log10",
    "log1p",
    "log2",
    "logical_and",
    "logical_not",
    "logical_or",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "not_equal",
    "power",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "where",
    "zeros_like",
    "ones_like",
]
_REDUCING = [
    "sum",
    "mean",
    "max",
    "min",
    "prod",
    "std",
    "var",
    "any",
    "all",
    "argmax",
    "argmin",
    "cumsum",
]
_SHAPING = ["reshape", "expand_dims", "squeeze", "clip", "matmul", "stack", "concatenate"]

NUMPY = {name: name for name in (*_SAME, *_REDUCING, *_SHAPING)}
MATH = {
    name: {"fabs": "abs", "pow": "power"}.get(name, name)
    for name in [
        "cos",
        "cosh",
        "exp",
        "expm1",
        "fabs",
        "floor",
        "log10",
        "log1p",
        "log2",
        "pow",
        "sin",
        "sinh",
        "sqrt",
        "tan",
        "tanh",
    ]
}
TENSORFLOW = {
    **{f"reduce_{name}": name for name in ("sum", "mean", "max", "min", "prod", "any", "all")},
    **{
        name: name
        for name in [
            "abs",
            "exp",
            "square",
            "sqrt",
            "maximum",
            "minimum",
            "where",
            "matmul",
            "reshape",
            "stack",
            "cast",
            "shape",
            "tanh",
            "squeeze",
            "zeros_like",
            "ones_like",
            "expand_dims",
            "sigmoid",
            "sin",
            "cos",
            "add",
            "multiply",
            "subtract",
            "less",
            "greater",
            "equal",
        ]
    },
    "concat": "concatenate",
    "pow": "power",
    "clip_by_value": "clip",
    "nn.relu": "relu",
    "nn.softmax": "softmax",
    "nn.sigmoid": "sigmoid",
    "nn.gelu": "gelu",
    "nn.tanh": "tanh",
    "nn.softplus": "softplus",
    "math.exp": "exp",
    "math.log": "log",
    "math.square": "square",
    "math.sqrt": "sqrt",
    "math.abs": "abs",
    "math.reduce_mean": "mean",
    "math.reduce_sum": "sum",
    "math.tanh": "tanh",
    "math.sigmoid": "sigmoid",
    "stop_gradient": "stop_gradient",
}
TORCH = {
    name: name
    for name in [
        "abs",
        "exp",
        "log",
        "log1p",
        "sqrt",
        "square",
        "sigmoid",
        "tanh",
        "relu",
        "sin",
        "cos",
        "floor",
        "ceil",
        "sign",
        "maximum",
        "minimum",
        "where",
        "matmul",
        "zeros_like",
        "ones_like",
        "reshape",
    ]
} | {"nn.functional.relu": "relu", "nn.functional.gelu": "gelu"}
JAX = {
    **{f"numpy.{name}": name for name in NUMPY},
    "nn.relu": "relu",
    "nn.sigmoid": "sigmoid",
    "nn.softmax": "softmax",
    "nn.softplus": "softplus",
    "nn.silu": "silu",
    "lax.stop_gradient": "stop_gradient",
}
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


def keras_call(module: Module, node: ast.Call, name: str) -> Fix | None:
    """Call the counterpart in ``keras.ops`` instead; None where the arguments may mean something else."""
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
