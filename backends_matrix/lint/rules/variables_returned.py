"""PK3, second part: variables that are handed out where tensors are meant."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from backends_matrix.lint.events import Result
from backends_matrix.lint.finding import Fix
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.rule import Report, Rule, define, on, ops_alias, replace, source
from backends_matrix.lint.values import Kind, Value

RETURNED = define(
    Rule(
        "PK309",
        "variable-returned",
        "state",
        "The result of a metric or a step is a variable itself.",
        "JAX takes no variable for the result of compiled code: fit and evaluate raise. TensorFlow and "
        "PyTorch take its value.",
        "Return keras.ops.convert_to_tensor(variable).",
        "ValueError: Triggering __jax_array__() during abstractification is no longer supported (JAX)",
    )
)


@on(Result)
def check_returned(event: Result, report: Report) -> None:
    """What a function that Keras calls returns; what the package's own functions call may give variables."""
    frame = event.frame
    if frame.entry is not None or frame.parent is not None or frame.gates:
        return
    name = getattr(frame.node, "name", "")
    # A layer may give its variables to the layer that calls it; that works.
    if frame.role != "step" and (frame.role, name) != ("metric", "result"):
        return
    for node in _variables(event.node, event.value):
        report(
            RETURNED,
            frame,
            node,
            f"{source(frame.module, node)} is a variable, which JAX does not take for a result",
            fix=_converted(frame, node),
        )


def _variables(node: ast.expr, value: Value) -> Iterator[ast.expr]:
    if value.kind is Kind.VARIABLE:
        yield node
    elif value.kind is Kind.ITEMS and isinstance(node, ast.Tuple | ast.List):
        for each, item in zip(node.elts, value.items, strict=False):
            yield from _variables(each, item)


def _converted(frame: Frame, node: ast.expr) -> Fix:
    alias, imports = ops_alias(frame.module)
    text = f"{alias}.convert_to_tensor({source(frame.module, node)})"
    edit = replace(frame.module, node, text)
    return Fix(f"call {alias}.convert_to_tensor", True, (edit,), imports)
