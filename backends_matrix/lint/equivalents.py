"""Functions of frameworks and NumPy whose counterpart in ``keras.ops`` takes the same arguments."""

from __future__ import annotations

import ast

from backends_matrix.lint.finding import Fix
from backends_matrix.lint.modules import Module
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
        "ceil",
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
    # A list of numbers is an array to NumPy alone; a third positional argument differs between packages.
    if len(node.args) > (3 if counterpart in ("where", "clip") else 2):
        return None
    alias, imports = ops_alias(module)
    edit = replace(module, node.func, f"{alias}.{counterpart}")
    return Fix(f"call {alias}.{counterpart}", True, (edit,), imports)
